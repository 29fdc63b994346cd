import numpy as np
import pytest

from nasgem_core.benchmarks.queries import Queries
from nasgem_core.errors import DataError
from tests.benchmarks.small101 import small_nasbench101
from tests.benchmarks.synthetic import synthetic_table


def test_a_query_costs_one_and_shows_the_noisy_label():
    table = small_nasbench101()
    queries = Queries(table, 5, runs=3)
    label, truth = table.metrics["test_acc_run0"].astype(float), table.metrics["test_acc_mean3"].astype(float)
    rows = np.array([3, 9, 3, 20])
    assert np.array_equal(queries.ask(rows), label[rows])
    assert (queries.rows, queries.left) == ([3, 9, 20], 2)
    best = max((3, 9, 20), key=lambda row: label[row])
    assert queries.pick == best
    assert queries.curve[-1] == truth[best]
    assert queries.regret()[-1] == truth.max() - truth[best]


def test_asking_again_costs_the_further_runs_and_decides():
    table = small_nasbench101()
    truth = table.metrics["test_acc_mean3"].astype(float)
    queries = Queries(table, 6, runs=3)
    queries.ask(np.array([3, 9]))
    worst = min((3, 9), key=lambda row: truth[row])
    queries.ask_again(worst)
    assert (queries.repeat_cost, queries.left) == (2, 2)
    # Its mean is known, and the other's single run is not trusted more.
    assert queries.pick == worst
    queries.ask_again(12 - worst)
    assert queries.pick == 12 - worst
    assert queries.observed == pytest.approx(truth[[3, 9]].tolist())
    assert len(queries.curve) == 6


def test_more_than_there_is_is_refused():
    with pytest.raises(DataError, match="30 queries for a table of 20 cells"):
        Queries(synthetic_table(20), 30)
    queries = Queries(small_nasbench101(), 2, runs=3)
    with pytest.raises(DataError, match="3 queries are asked for and 2 of 2 are left"):
        queries.ask(np.arange(3))
    with pytest.raises(DataError, match="cell 0 has no further run"):
        queries.ask_again(0)
    single = Queries(synthetic_table(20), 4)
    single.ask(np.array([0]))
    assert single.repeat_cost == 0
    with pytest.raises(DataError, match="cell 0 has no further run"):
        single.ask_again(0)
