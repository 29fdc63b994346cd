import pytest
from scipy.stats import ttest_rel

from nasgem_core.training.paired import paired_difference


def test_the_interval_is_that_of_the_paired_t_test():
    first, second = [0.61, 0.58, 0.6, 0.63], [0.57, 0.56, 0.55, 0.6]
    found = paired_difference(first, second)
    low, high = ttest_rel(first, second).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.values == pytest.approx((0.04, 0.02, 0.05, 0.03)) and found.mean == pytest.approx(0.035)


def test_one_pair_has_no_interval():
    found = paired_difference([0.6], [0.5])
    assert found.mean == pytest.approx(0.1) and found.low is None and found.high is None
