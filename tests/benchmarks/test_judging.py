import math

import numpy as np
import pytest
from scipy import stats

from nasgem_core.benchmarks.judging import MEASURES, judge, prediction_bias
from nasgem_core.errors import DataError


def test_correlations_are_those_of_scipy():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=500)
    predicted = truth + rng.normal(size=500)
    found = judge(predicted, truth)
    assert tuple(found) == MEASURES
    assert found["kendall_tau"] == pytest.approx(stats.kendalltau(predicted, truth).statistic)
    assert found["spearman_rho"] == pytest.approx(stats.spearmanr(predicted, truth).statistic)
    assert found["pearson_r"] == pytest.approx(stats.pearsonr(predicted, truth).statistic)


def test_the_top_is_counted_by_hand():
    truth = np.arange(1000.0)
    predicted = truth.copy()
    # Of the ten that are truly best, the five best are predicted last.
    predicted[995:] = -1
    found = judge(predicted, truth)
    assert found["top_precision"] == 0.5
    assert found["rank_at_10"] == 6
    assert judge(truth, truth)["rank_at_10"] == 1


def test_constant_and_random_guesses_gain_nothing():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=20_000)
    constant = judge(np.zeros(20_000), truth)
    assert math.isnan(constant["kendall_tau"])
    assert math.isnan(constant["pearson_r"])
    guess = judge(rng.normal(size=20_000), truth)
    assert abs(guess["kendall_tau"]) < 0.02
    assert guess["top_precision"] < 0.05


def test_bias_is_what_the_pick_loses():
    assert prediction_bias(np.array([0.0, 3.0, 1.0]), np.array([0.5, 0.25, 0.75])) == 0.5
    assert prediction_bias(np.array([0.0, 1.0]), np.array([0.5, 0.75])) == 0.0


@pytest.mark.parametrize("values", [np.zeros(3), np.array([0.0, np.nan])])
def test_what_cannot_be_compared_is_refused(values):
    with pytest.raises(DataError):
        judge(values, np.zeros(2))
    with pytest.raises(DataError, match="one number for each cell"):
        prediction_bias(np.zeros(3), np.zeros(2))
    with pytest.raises(DataError, match="one number for each cell"):
        prediction_bias(np.zeros(0), np.zeros(0))
