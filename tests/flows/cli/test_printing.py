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
