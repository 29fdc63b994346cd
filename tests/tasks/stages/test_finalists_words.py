"""What the terminal and the report say of a comparison."""

import pytest

from tasks.stages.finalists_results import no_finalists, write_finalists
from tasks.stages.finalists_words import agreement_words, choice_words, cost_words, epochs_text, finalists_summary
from tests.tasks.finalists import CELLS, write_comparison, write_single


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_what_was_chosen_and_what_the_search_had_chosen():
    summary = write_comparison(CELLS[0])
    words = choice_words(summary)
    assert f"cell {CELLS[1].canonical_key[:8]} has the best top-1 after 4 epochs, 50.0 %; the search's choice" in words
    assert words.endswith("has 20.0 % after 1 epoch") and cost_words(summary).startswith("9 epochs were trained")
    assert choice_words(write_comparison(CELLS[1])).endswith("50.0 %; it is the search's choice too")
    assert choice_words(write_comparison(CELLS[3])).endswith(", diverged or cannot meet the budget")


def test_how_the_ranks_held():
    assert agreement_words(write_comparison(CELLS[0])) == (
        "Kendall's tau of the proxy's mean score and top-1 after 1 epoch, 3 cells: -1.00 (95 %: -1.00 to -1.00); of "
        "top-1 after 1 epoch and top-1 after 4 epochs, 2 cells: none, because they are too few or all equal."
    )


def test_a_cell_that_is_alone_is_chosen_without_a_comparison():
    summary = write_single()
    assert choice_words(summary) == f"cell {CELLS[0].canonical_key[:8]} is the only one that can be compared"
    assert agreement_words(summary) == ""


def test_a_stage_that_was_skipped_has_no_summary():
    assert finalists_summary() == {}
    write_finalists(no_finalists(), {"cells": 0})
    assert finalists_summary() == {} and [epochs_text(count) for count in (1, 2)] == ["1 epoch", "2 epochs"]
