import io

import pytest
from rich.console import Console

from flows.cli import printing


def test_names_are_no_markup(capsys):
    printing.print_table("pics/q[/b].jpg", ["class"], [["[bold red]x[b]"]])
    printing.out.print("[/b] is shown")
    shown = capsys.readouterr().out
    assert "pics/q[/b].jpg" in shown and "[bold red]x[b]" in shown and "[/b] is shown" in shown


@pytest.mark.parametrize("columns", [2, 12])
def test_no_value_of_a_table_is_cut(monkeypatch, columns):
    out = io.StringIO()
    monkeypatch.setattr(printing, "out", Console(file=out, width=80, highlight=False))
    values = [f"0.{i:03d} \N{PLUS-MINUS SIGN} 0.012" for i in range(columns)]
    title = "a title that is longer than the table and than a line of the terminal, which has eighty places only"
    printing.print_table(title, ["predictor", *map(str, range(columns))], [["guided_autoencoder", *values]])
    lines = [line.rstrip() for line in out.getvalue().splitlines() if line]
    assert lines[0] == title
    assert len(lines) == 3
    assert all(value in lines[2] for value in ["guided_autoencoder", *values])


WORDS = "known: MobileNetV2, expansion 6"


def printed(monkeypatch, width: int, header: list[str], row: list[str], *, terminal: bool = True) -> list[str]:
    out = io.StringIO()
    monkeypatch.setattr(
        printing, "out", Console(file=out, width=width, highlight=False, force_terminal=terminal, color_system=None)
    )
    printing.print_table("cells", header, [row])
    return [line.rstrip() for line in out.getvalue().splitlines() if line][1:]


def test_words_go_on_in_their_column_where_the_terminal_is_narrow(monkeypatch):
    header, row = ["cell", *map(str, range(6)), "found by"], ["a4229693", *["0.1234567"] * 6, WORDS]
    assert len(printed(monkeypatch, 120, header, row)) == 2
    lines = printed(monkeypatch, 85, header, row)
    assert all(len(line) <= 85 for line in lines) and len(lines) > 2
    assert lines[1].count("0.1234567") == 6 and "a4229693" in lines[1], "numbers and keys stay whole"
    found = " ".join(line[69:].strip() for line in lines[1:])
    assert found.replace(" ", "") == WORDS.replace(" ", "")


def test_columns_that_do_not_fit_go_on_below_next_to_the_first_one_again(monkeypatch):
    header, row = ["cell", *(f"figure {place}" for place in range(12))], ["a4229693", *["0.1234567"] * 12]
    lines = printed(monkeypatch, 80, header, row)
    assert all(len(line) <= 80 for line in lines) and len(lines) == 4
    assert [line.split()[0] for line in lines] == ["cell", "a4229693"] * 2
    assert sum(line.count("0.1234567") for line in lines) == 12
    assert (lines[0] + lines[2]).count("figure") == 12
    assert len(printed(monkeypatch, 5, header[:3], row[:3])) >= 4, "on any terminal"


def test_what_no_terminal_shows_stays_in_one_line(monkeypatch):
    header, row = ["cell", *map(str, range(12))], ["a4229693", *["0.1234567"] * 12]
    assert len(printed(monkeypatch, 80, header, row, terminal=False)) == 2
    assert len(printed(monkeypatch, 40, ["cell", "found by"], [WORDS, WORDS], terminal=False)) == 2
