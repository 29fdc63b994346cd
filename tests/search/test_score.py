import math

import numpy as np
import pytest

from nasgem_core.errors import DataError, ParameterError
from nasgem_core.search.score import Measured, cost_term, efficiency_score


def test_score_by_hand():
    assert efficiency_score(0.9, 100_000_000, 0.1) == pytest.approx(0.9 - 0.1 * 2)
    assert efficiency_score(0.9, 1_000_000, 0.1) == pytest.approx(0.9)
    assert efficiency_score(0.9, 100_000, 0.1) == pytest.approx(1.0)
    assert efficiency_score(0.9, 5, 0.0) == 0.9
    scores = efficiency_score(np.array([0.5, 0.6]), np.array([10**7, 2 * 10**7]), 0.2)
    np.testing.assert_allclose(scores, [0.5 - 0.2, 0.6 - 0.2 * (1 + math.log10(2))])
    assert cost_term(10**8, 0.25) == pytest.approx(0.5)


@pytest.mark.parametrize("accuracy", [93.1, -0.1, float("nan")])
def test_an_accuracy_that_is_no_fraction_is_refused(accuracy):
    with pytest.raises(DataError, match=rf"accuracy = {accuracy}: must be a fraction in \[0, 1\]"):
        efficiency_score(np.array([0.5, accuracy]), np.array([1, 1]), 0.1)


@pytest.mark.parametrize("cost", [0.0, -3.0, float("nan"), float("inf")])
def test_a_cost_that_is_not_above_0_is_refused(cost):
    with pytest.raises(DataError, match=f"cost = {cost}: the cost of a network must be a finite number above 0"):
        efficiency_score(0.5, cost, 0.1)


@pytest.mark.parametrize("penalty", [-0.1, float("nan"), float("inf")])
def test_a_penalty_out_of_range_is_refused(penalty):
    with pytest.raises(ParameterError, match=f"score.penalty = {penalty}: must be a finite number"):
        efficiency_score(0.5, 100, penalty)


def test_measured_cells_are_scored_and_selected_together():
    measured = Measured(np.array([0.5, 0.6, 0.7]), np.array([10**6, 10**7, 10**8]), 0.1)
    np.testing.assert_allclose(measured.scores, [0.5, 0.5, 0.5])
    part = measured[np.array([False, True, True])]
    assert part.accuracy.tolist() == [0.6, 0.7] and part.costs.tolist() == [10**7, 10**8] and part.penalty == 0.1
