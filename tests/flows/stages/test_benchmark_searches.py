"""What the stage `benchmark` plans, in process; the trials and searches themselves are tested as tasks."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from flows.stages.benchmark import planned_trials
from flows.stages.benchmark_searches import search_tables, searched_tables
from nasgem_core.benchmarks.table import write_table
from nasgem_core.config.search import SearchConfig
from nasgem_core.config.studies import BenchmarkConfig
from nasgem_core.errors import ParameterError
from tasks.benchmark.files import BIAS, RANKING
from tasks.benchmark.tables import table_path
from tests.benchmarks.small101 import small_nasbench101
from tests.benchmarks.synthetic import synthetic_table


@pytest.fixture(autouse=True)
def _tables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_table(synthetic_table(100, name="mine"), table_path("mine"))
    write_table(small_nasbench101(), table_path("nasbench101"))


def session(**changes: Any) -> Any:
    chosen = {"tables": ("mine", "nasbench101"), "sizes": (30, 20), "splits": 2, "predictors": ("random",), **changes}
    return SimpleNamespace(config=replace(SearchConfig(), benchmark=replace(BenchmarkConfig(), **chosen)))


def test_whole_splits_and_small_sizes_come_first():
    planned = planned_trials(session())
    found = [(one.number, one.training, one.trial.table, one.purpose) for one in planned]
    tables = ("mine", "nasbench101")
    assert found == [(i, size, table, RANKING) for i in range(2) for size in (20, 30) for table in tables]


def test_the_bias_is_reported_where_the_table_and_both_predictors_ask_for_it():
    both = ("guided_autoencoder", "plain_autoencoder", "random")
    biased = [one for one in planned_trials(session(predictors=both)) if one.purpose == BIAS]
    assert {one.trial.table for one in biased} == {"nasbench101"}
    assert {one.trial.predictor for one in biased} == set(both[:2])
    assert sorted({one.training for one in biased}) == [200, 500, 1000, 2000]
    assert not [one for one in planned_trials(session(predictors=both[1:])) if one.purpose == BIAS]


def test_sizes_that_leave_nothing_to_rank_are_refused():
    with pytest.raises(ParameterError, match="95 training cells of table 'mine', which has 100"):
        planned_trials(session(sizes=(95,)))


def test_tables_are_searched_where_their_cells_can_be_edited():
    assert [trial.table for trial in searched_tables(session())] == ["nasbench101"]
    assert searched_tables(session(searches=0)) == []
    assert search_tables(session(), [], {}) == []
