import numpy as np
import pytest

from nasgem_core.search.rank_agreement import rank_agreement
from nasgem_core.search.ranking import rank_correlation


@pytest.mark.parametrize("count", [3, 8, 20])
def test_tau_is_that_of_scipy_and_lies_in_its_interval(count):
    random = np.random.default_rng(count)
    first = random.normal(size=count).round(1)
    second = (first + random.normal(size=count)).round(1)
    found = rank_agreement(first, second)
    assert found.tau == pytest.approx(rank_correlation(first, second)["kendall_tau"])
    assert -1 <= found.low <= found.tau <= found.high <= 1
    assert rank_agreement(first, second) == found


def test_more_cells_give_a_narrower_interval():
    random = np.random.default_rng(0)
    first = random.normal(size=100)
    second = first + random.normal(size=100)
    few, many = rank_agreement(first[:10], second[:10]), rank_agreement(first, second)
    assert many.high - many.low < 0.5 * (few.high - few.low) and 0.3 < many.low < many.high < 0.7


@pytest.mark.parametrize("values", [[1.0, 2.0], [1.0, 1.0, 1.0]])
def test_without_ranks_there_is_none(values):
    found = rank_agreement(np.array(values), np.arange(len(values), dtype=float))
    assert np.isnan([found.tau, found.low, found.high]).all()
