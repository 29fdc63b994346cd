"""The table and the figures of a comparison."""

import numpy as np
import pytest

from tasks.stages.finalists_results import no_finalists, read_finalists, write_finalists
from tests.tasks.finalists import CELLS, HALVING, write_comparison, write_single


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_rows_are_ranked_and_hold_the_accuracy_after_each_rung():
    write_comparison(CELLS[0])
    table = read_finalists()
    assert list(table["key"]) == [CELLS[place].canonical_key for place in HALVING.order]
    assert list(table["rank"]) == [1, 2, 3, 4] and list(table["chosen"]) == [True, False, False, False]
    np.testing.assert_equal(table["top1_after_4"].to_numpy(), [0.5, 0.45, np.nan, np.nan])
    assert (abs(table["macs"] / 8_000_000 - 1) <= 0.01).all() and list(table["reason"])[-1] == "the loss was nan"
    write_finalists(no_finalists(), {"cells": 0})
    assert not len(read_finalists()) and set(read_finalists().columns) < set(table.columns)


def test_figures_say_how_the_ranks_held_and_what_it_took():
    summary = write_comparison(CELLS[0])
    assert (summary["chosen"], summary["top1"]) == (CELLS[1].canonical_key, 0.5)
    assert (summary["searched_top1"], summary["searched_until"], summary["ruled_out"]) == (0.2, 1, 2)
    assert summary["epochs"] == 1 + 4 + 4 and summary["epochs_without_halving"] == 16
    assert [(rung["cells"], rung["tau"]) for rung in summary["rungs"]] == [(3, -1.0), (2, None)]


def test_without_a_comparison_there_are_no_accuracies():
    summary = write_single()
    assert summary["chosen"] == CELLS[0].canonical_key and summary["top1"] is summary["searched_top1"] is None
    assert summary["epochs"] == 0 and summary["rungs"] == [] and list(read_finalists()["chosen"]) == [True]
