"""The comparison in the report: a fact, a table and a picture."""

import pytest

from tasks.stages.best_cell import write_best_cell, write_finalist
from tasks.stages.finalists_report import finalists_facts, finalists_pictures, finalists_tables
from tasks.stages.finalists_words import agreement_words, choice_words
from tests.tasks.finalists import CELLS, write_comparison, write_single


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_report_has_a_table_and_a_picture():
    write_best_cell(CELLS[0])
    assert finalists_tables() == [] and finalists_pictures() == {} == finalists_facts()
    summary = write_comparison(CELLS[0])
    write_finalist(CELLS[1], CELLS[0])
    (table,) = finalists_tables()
    assert table.header[3:5] == ["after 1 epoch (%)", "after 4 epochs (%)"]
    assert table.rows[0][1:5] == [CELLS[1].canonical_key[:8], "0.4000", "30.0", "50.0"] and table.rows[2][4] is None
    assert choice_words(summary) in table.note and agreement_words(summary) in table.note
    assert finalists_pictures()["finalists"].png.startswith(b"\x89PNG")
    assert finalists_facts() == {"chosen among": "4 finalists on your images"}


def test_one_cell_has_a_row_and_no_picture():
    write_single()
    assert finalists_pictures() == {} and len(finalists_tables()[0].rows) == 1
