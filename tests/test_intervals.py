import math

import numpy as np
import pytest
from scipy import stats

from nasgem_core.intervals import difference_of_means, half_width, mean_and_interval


def test_interval_is_student_s():
    values = np.array([1.0, 2.0, 4.0, 7.0])
    mean, half = mean_and_interval(np.append(values, np.nan))
    low, high = stats.t.interval(0.95, 3, loc=values.mean(), scale=stats.sem(values))
    assert mean == pytest.approx(3.5)
    assert (mean - half, mean + half) == pytest.approx((low, high))
    assert math.isnan(mean_and_interval(np.array([1.0]))[1])
    assert all(map(math.isnan, mean_and_interval(np.array([np.nan]))))


def test_half_a_width_grows_with_the_error_and_falls_with_the_freedom():
    assert half_width(2.0, 3) == 2 * half_width(1.0, 3) > 2 * half_width(1.0, 4) > 2 * 1.96


def test_a_difference_of_means_has_the_interval_of_welch():
    generator = np.random.default_rng(0)
    first, second = generator.normal(1, 1, 8), generator.normal(0, 3, 20)
    mean, half = difference_of_means(first, second)
    expected = stats.ttest_ind(first, second, equal_var=False).confidence_interval()
    assert (mean - half, mean + half) == pytest.approx((expected.low, expected.high), rel=1e-9)
    assert difference_of_means(np.ones(2), np.zeros(3)) == (1.0, 0.0)
    assert all(np.isnan(difference_of_means(first[:1], second)))
