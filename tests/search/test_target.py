import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgem_core.errors import DataError, ParameterError
from nasgem_core.search.score import Measured, efficiency_score
from nasgem_core.search.target import Target

COSTS = np.array([1, 3, 10, 30, 100]) * 10**6
ACCURACY = np.array([0.30, 0.41, 0.48, 0.62, 0.66])


@given(st.sampled_from(["score", "accuracy"]), st.floats(0, 1))
def test_the_values_give_back_the_measured_scores(kind, penalty):
    target, values = Target.of(kind, Measured(ACCURACY, COSTS, penalty))
    assert (values.mean(), values.std()) == (pytest.approx(0, abs=1e-9), pytest.approx(1))
    np.testing.assert_allclose(
        target.scores(values, COSTS, penalty), efficiency_score(ACCURACY, COSTS, penalty), atol=1e-6
    )


def test_accuracies_serve_any_penalty_and_scores_only_their_own():
    target, values = Target.of("accuracy", Measured(ACCURACY, COSTS, 0.1))
    np.testing.assert_allclose(target.accuracies(values, COSTS), ACCURACY, atol=1e-6)
    np.testing.assert_allclose(target.scores(values, COSTS, 0.4), efficiency_score(ACCURACY, COSTS, 0.4), atol=1e-6)
    assert target.needs_costs
    with pytest.raises(DataError, match="costs must hold one number for each of the 5 cells"):
        target.scores(values, None, 0.1)
    target, values = Target.of("score", Measured(ACCURACY, COSTS, 0.1))
    assert not target.needs_costs
    with pytest.raises(ParameterError, match=r"fitted on scores with penalty 0\.1"):
        target.scores(values, COSTS, 0.2)
    with pytest.raises(ParameterError, match="does not predict accuracies"):
        target.accuracies(values, COSTS)


def test_the_trend_is_the_least_squares_line():
    target, _ = Target.of("accuracy", Measured(ACCURACY, COSTS, 0.1))
    assert target.cost_trend == pytest.approx(np.polyfit(np.log10(COSTS / 1e6), ACCURACY, 1)[0])
    level, _ = Target.of("accuracy", Measured(ACCURACY, np.full(5, 10**6), 0.1))
    assert level.cost_trend == 0
    flat, values = Target.of("score", Measured(np.full(5, 0.5), np.full(5, 10**6), 0.1))
    assert (flat.scale, float(np.abs(values).max())) == (1e-8, 0)
