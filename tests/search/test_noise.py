import numpy as np
import pytest
from scipy import stats

from nasgem_core.errors import DataError
from nasgem_core.search.noise import Noise


def test_noise_is_the_pooled_deviation_within_cells():
    values = np.array([0.1, 0.3, 0.5, 0.6, 0.7, 0.9])
    cells = np.array(["a", "a", "b", "b", "b", "c"])
    expected = np.sqrt((2 * 0.1**2 + 0.1**2 + 0.0**2 + 0.1**2) / (1 + 2))
    found = Noise.of(values, cells)
    assert found.deviation == pytest.approx(expected) and found.freedom == 3
    # With equally many measurements of each cell it is the root of the mean variance.
    table = np.random.default_rng(0).normal(size=(30, 5))
    pooled = np.sqrt(table.var(axis=1, ddof=1).mean())
    assert Noise.of(table.ravel(), np.repeat(np.arange(30), 5)).deviation == pytest.approx(pooled)


def test_measurements_without_a_second_are_refused():
    with pytest.raises(DataError, match="no cell was measured twice"):
        Noise.of(np.array([0.1, 0.2]), np.array([0, 1]))
    with pytest.raises(DataError, match="give one cell for each value"):
        Noise.of(np.array([0.1, 0.2]), np.array([0]))


def test_the_half_width_is_that_of_students_interval_of_a_mean():
    values = np.array([0.1, 0.4, 0.3, 0.5])
    low, high = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
    assert Noise.of(values, np.zeros(4)).half_width(1 / 4) == pytest.approx((high - low) / 2)
