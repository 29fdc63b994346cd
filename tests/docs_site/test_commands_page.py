"""docs/cli.md is what the commands give."""

from typing import Annotated

import typer

from docs_site import commands_page
from docs_site.commands_page import PAGE
from flows.cli.search_commands import app


def test_the_page_is_that_of_the_commands():
    assert PAGE.read_text() == commands_page.commands_page(), "run `make site`"


def test_every_command_has_a_section():
    text, group = PAGE.read_text(), typer.main.get_command(app)
    words = [word for word, command in group.commands.items() if not hasattr(command, "commands")]
    assert all(f"\n## nasgem {word}\n" in text for word in [*words, "data add", "benchmark run"])


def test_arguments_options_and_defaults_are_described(monkeypatch):
    tool = typer.Typer()

    @tool.command()
    def first(
        name: Annotated[str, typer.Argument(help="A | B.")],
        rest: Annotated[list[str] | None, typer.Argument(help="More.")] = None,
        top: Annotated[int, typer.Option(help="How many.", min=1)] = 5,
        quiet: Annotated[bool, typer.Option("--quiet", help="Say less.")] = False,
    ) -> None:
        """Do it.

        In full.
        """

    @tool.command()
    def second() -> None:
        """Do nothing."""

    monkeypatch.setattr(commands_page, "app", tool)
    text = commands_page.commands_page()
    assert "## nasgem first\n\nDo it. In full.\n\n```\nnasgem first [OPTIONS] {name} [rest]...\n```\n" in text
    for row in (
        r"| `name <str>` | A \| B. [required] |",
        "| `rest... <list[str]>` | More. |",
        r"| `--top <int range>` | How many. [default: 5; x\>=1] |",
        "| `--quiet` | Say less. |",
    ):
        assert row in text.splitlines()
    assert text.endswith("## nasgem second\n\nDo nothing.\n\n```\nnasgem second [OPTIONS]\n```\n")
