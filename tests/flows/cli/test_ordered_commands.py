"""The list of commands."""

from typer.testing import CliRunner

from flows.cli.ordered_commands import ORDER
from flows.cli.search_commands import app


def listed(*group: str) -> str:
    return CliRunner().invoke(app, [*group, "--help"], terminal_width=80).output.partition("Commands:")[2]


def test_every_command_is_listed_and_the_first_one_to_use_comes_first():
    assert tuple(line.split()[0] for line in listed().splitlines() if line.strip()) == ORDER
    assert ORDER[:2] == ("init", "search")


def test_nothing_is_cut_at_80_columns():
    for lines in (listed(), listed("data"), listed("benchmark"), listed("store")):
        assert lines.strip() and "..." not in lines
