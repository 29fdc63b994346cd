"""The efficiency score of a cell (paper, Eq. 5)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nasgem_core.errors import DataError, ParameterError


@dataclass(frozen=True, eq=False)
class Measured:
    """What is known of N trained cells, and how their score weighs it: all that a predictor learns from but the cells.

    Args:
        accuracy: float64 [N] proxy accuracies, fractions.
        costs: int64 [N], what the objective charges each cell for.
        penalty: lambda of Eq. 5.
    """

    accuracy: np.ndarray
    costs: np.ndarray
    penalty: float

    @property
    def scores(self) -> np.ndarray:
        """The efficiency scores, float64 [N]; raises as `efficiency_score`."""
        return efficiency_score(self.accuracy, self.costs, self.penalty)

    def __getitem__(self, index: Any) -> "Measured":
        """Return the selected cells' part (slice, index array or mask)."""
        return Measured(self.accuracy[index], self.costs[index], self.penalty)


def efficiency_score(accuracy: ArrayLike, costs: ArrayLike, penalty: float) -> Any:
    """Return S = accuracy - penalty * log10(costs in millions), elementwise.

    Args:
        accuracy: validation accuracy on the proxy task, a fraction in [0, 1].
        costs: what the score charges each network for, see `nasgem_core.search.objective`; multiply-adds in the paper.
        penalty: lambda.

    Raises:
        DataError: an accuracy is not a fraction (NaN included), or a cost is not above 0.
        ParameterError: the penalty is negative or not finite.
    """
    accuracy = np.asarray(accuracy, dtype=np.float64)
    wrong = ~((accuracy >= 0) & (accuracy <= 1))
    if wrong.any():
        raise DataError(f"accuracy = {accuracy[wrong][0]}: must be a fraction in [0, 1]; leave out cells that failed")
    return accuracy - cost_term(costs, penalty)


def cost_term(costs: ArrayLike, penalty: float) -> Any:
    """Return what Eq. 5 subtracts, penalty * log10(costs in millions), elementwise; raises as `efficiency_score`."""
    if not 0 <= penalty < float("inf"):
        raise ParameterError(f"score.penalty = {penalty}: must be a finite number, 0 or above")
    return penalty * log_costs(costs)


def log_costs(costs: ArrayLike) -> Any:
    """Return log10(costs in millions), elementwise; raises `DataError` where a cost is not above 0."""
    costs = np.asarray(costs, dtype=np.float64)
    wrong = ~((costs > 0) & np.isfinite(costs))
    if wrong.any():
        raise DataError(f"cost = {costs[wrong][0]}: the cost of a network must be a finite number above 0")
    return np.log10(costs / 1e6)
