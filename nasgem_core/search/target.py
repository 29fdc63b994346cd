"""What a predictor learns, and how its output becomes an efficiency score (paper 3.2, Eq. 5).

With accuracy as the target, what a straight line in log10(cost) explains of the accuracy is taken out first and added
back exactly: larger networks are more accurate, and costs are known without any prediction. (Our choice; not in the
paper.)
"""

from dataclasses import dataclass

import numpy as np

from nasgem_core.errors import DataError, ParameterError
from nasgem_core.search.score import Measured, cost_term, log_costs

SCORE, ACCURACY = "score", "accuracy"


@dataclass(frozen=True)
class Target:
    """The target of trained cells, standardised.

    Args:
        kind: `score` as in the paper, or `accuracy`.
        penalty: lambda of the scores it was made of (Eq. 5).
        mean: mean target, less the cost trend; with the score target the constant guess to beat.
        scale: standard deviation of the same, at least 1e-8, so that targets without spread give no noise.
        cost_trend: accuracy gained by a tenfold cost, a least-squares line over the cells; 0 with the score target.
    """

    kind: str
    penalty: float
    mean: float
    scale: float
    cost_trend: float

    @classmethod
    def of(cls, kind: str, measured: Measured) -> tuple["Target", np.ndarray]:
        """Return the target of trained cells, and its standardised values, float64 [N]."""
        values, trend = measured.scores, 0.0
        if kind == ACCURACY:
            trend = _slope(log_costs(measured.costs), measured.accuracy)
            values = measured.accuracy - trend * log_costs(measured.costs)
        target = cls(kind, measured.penalty, float(values.mean()), max(float(values.std()), 1e-8), trend)
        return target, (values - target.mean) / target.scale

    @property
    def needs_costs(self) -> bool:
        """Whether scores depend on the costs of cells."""
        return self.kind == ACCURACY

    def scores(self, values: np.ndarray, costs: np.ndarray | None, penalty: float) -> np.ndarray:
        """Return efficiency scores, float32 [B], of standardised predictions [B].

        Args:
            values: what was predicted.
            costs: [B], what the score charges; only read when the target is accuracy.
            penalty: lambda. With the accuracy target the cost term is exact, so any penalty will do.

        Raises:
            ParameterError: the target is the score, and `penalty` is not the one it was made with.
            DataError: costs are needed and missing.
        """
        if not self.needs_costs:
            if penalty != self.penalty:
                raise ParameterError(
                    f"score.penalty = {penalty}: the predictor was fitted on scores with penalty {self.penalty}; "
                    "use that, fit again, or set predictor.target to accuracy"
                )
            return self._raw(values)
        costs = _one_per_cell(costs, len(values))
        return (self.accuracies(values, costs) - cost_term(costs, penalty)).astype(np.float32)

    def accuracies(self, values: np.ndarray, costs: np.ndarray) -> np.ndarray:
        """Return accuracies, float32 [B]; raises `ParameterError` where the target is the score."""
        if not self.needs_costs:
            raise ParameterError(
                "predictor.target = 'score': such a predictor does not predict accuracies; set it to accuracy and fit "
                "again"
            )
        return (self._raw(values) + self.cost_trend * log_costs(_one_per_cell(costs, len(values)))).astype(np.float32)

    def _raw(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(values, dtype=np.float32) * np.float32(self.scale) + np.float32(self.mean)


def _one_per_cell(costs: np.ndarray | None, cells: int) -> np.ndarray:
    if costs is None or np.shape(costs) != (cells,):
        raise DataError(f"costs must hold one number for each of the {cells} cells")
    return costs


def _slope(x: np.ndarray, y: np.ndarray) -> float:
    """Return the slope of the least-squares line of y over x, 0 where x does not vary."""
    deviation = x - x.mean()
    return float(deviation @ y / max(float(deviation @ deviation), 1e-12))
