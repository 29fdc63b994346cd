from dataclasses import replace

import numpy as np
import pytest

from flows.selection import choose
from nasgem_core.errors import DataError
from tasks.stages.results import Results, read_selected


def test_a_budget_bounds_measured_and_predicted_cells(small_search):
    macs = Results(small_search.config).distinct.usable.macs
    budget = int(np.median(macs))
    chosen = choose(small_search.session, 0.1, budget, 4)
    assert 0 < len(chosen.measured) == (macs <= budget).sum()
    assert (chosen.measured.macs <= budget).all() and (chosen.predicted.macs <= budget).all()
    assert (np.diff(chosen.expected) <= 0).all() and len(chosen.expected) == len(chosen.measured)


def test_where_single_trainings_decide_they_also_decide_the_order(small_search, monkeypatch):
    config = small_search.config
    monkeypatch.setattr(small_search.session, "config", replace(config, bootstrap=replace(config.bootstrap, repeats=1)))
    assert (np.diff(choose(small_search.session, 0.1, 0, 4).measured.score) <= 0).all()


def test_predicted_cells_are_new_and_can_be_shown(small_search):
    chosen = choose(small_search.session, 0.2, 0, 3)
    assert not set(chosen.predicted.cells.keys) & set(Results(small_search.config).distinct.key)
    assert read_selected() == list(chosen.predicted.cells)
    assert chosen.objective.penalty == 0.2 and small_search.session.objective.penalty == 0.1


def test_a_budget_that_no_cell_keeps_is_refused(small_search):
    with pytest.raises(DataError, match="have more than 1 MACs: raise"):
        choose(small_search.session, 0.1, 1, 3)
