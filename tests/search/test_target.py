import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgem_core.errors import DataError, ParameterError
from nasgem_core.search.score import efficiency_score
from nasgem_core.search.target import Target

MACS = np.array([1, 3, 10, 30, 100]) * 10**6
ACCURACY = np.array([0.30, 0.41, 0.48, 0.62, 0.66])


@given(st.sampled_from(["score", "accuracy"]), st.floats(0, 1))
def test_the_values_give_back_the_measured_scores(kind, penalty):
    target, values = Target.of(kind, ACCURACY, MACS, penalty)
    assert (values.mean(), values.std()) == (pytest.approx(0, abs=1e-9), pytest.approx(1))
    np.testing.assert_allclose(
        target.scores(values, MACS, penalty), efficiency_score(ACCURACY, MACS, penalty), atol=1e-6
    )


def test_accuracies_serve_any_penalty_and_scores_only_their_own():
    target, values = Target.of("accuracy", ACCURACY, MACS, 0.1)
    np.testing.assert_allclose(target.accuracies(values, MACS), ACCURACY, atol=1e-6)
    np.testing.assert_allclose(target.scores(values, MACS, 0.4), efficiency_score(ACCURACY, MACS, 0.4), atol=1e-6)
    assert target.needs_macs
    with pytest.raises(DataError, match="macs must hold one number for each of the 5 cells"):
        target.scores(values, None, 0.1)
    target, values = Target.of("score", ACCURACY, MACS, 0.1)
    assert not target.needs_macs
    with pytest.raises(ParameterError, match=r"fitted on scores with penalty 0\.1"):
        target.scores(values, MACS, 0.2)
    with pytest.raises(ParameterError, match="knows no accuracies"):
        target.accuracies(values, MACS)


def test_the_trend_is_the_least_squares_line():
    target, _ = Target.of("accuracy", ACCURACY, MACS, 0.1)
    assert target.mac_trend == pytest.approx(np.polyfit(np.log10(MACS / 1e6), ACCURACY, 1)[0])
    level, _ = Target.of("accuracy", ACCURACY, np.full(5, 10**6), 0.1)
    assert level.mac_trend == 0
    flat, values = Target.of("score", np.full(5, 0.5), np.full(5, 10**6), 0.1)
    assert (flat.scale, float(np.abs(values).max())) == (1e-8, 0)
