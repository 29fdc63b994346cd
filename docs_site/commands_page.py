"""docs/cli.md, written from the commands themselves; `make site` runs this module."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import typer

from flows.cli.search_commands import app
from nasgem_core.files import written_whole

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
_OPENING = """\
# Commands

For everyone who uses `nasgem` on a command line: every command with its arguments and options, as `--help` shows them.
`make site` writes this page from the commands.
"""


def commands_page() -> str:
    """Return what docs/cli.md has to hold."""
    return _OPENING + "".join(_sections(cast(Any, typer.main.get_command(app)), "nasgem"))


def _sections(group: Any, name: str) -> Iterator[str]:
    """Yield a section for each command of a group, those of the groups inside it included."""
    for word, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from _sections(command, f"{name} {word}")
        else:
            yield _section(command, f"{name} {word}")


def _section(command: Any, name: str) -> str:
    context = command.make_context(name, [], resilient_parsing=True)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    text = f"\n## {name}\n\n{' '.join(command.help.split())}\n\n```\n{usage}\n```\n"
    records = [parameter.get_help_record(context) for parameter in command.params]
    if records:
        text += "\n| argument or option | meaning |\n|---|---|\n"
    return text + "".join(f"| `{spelling}` | {_in_table(meaning)} |\n" for spelling, meaning in records)


def _in_table(meaning: str) -> str:
    """Return the text of a help in a cell of a table; angle brackets would be read as HTML."""
    return " ".join(meaning.split()).replace("|", r"\|").replace("<", r"\<").replace(">", r"\>")


if __name__ == "__main__":
    with written_whole(PAGE) as file:
        file.write(commands_page().encode())
