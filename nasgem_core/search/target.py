"""What a predictor learns, and how its output becomes an efficiency score (paper 3.2, Eq. 5).

With accuracy as the target, what a straight line in log10(MACs) explains of the accuracy is taken out first and added
back exactly: larger networks are more accurate, and MACs are known without any prediction. (Our choice; not in the
paper.)
"""

from dataclasses import dataclass

import numpy as np

from nasgem_core.errors import DataError, ParameterError
from nasgem_core.search.score import efficiency_score, log_macs, mac_term

SCORE, ACCURACY = "score", "accuracy"


@dataclass(frozen=True)
class Target:
    """The target of trained cells, standardised.

    Args:
        kind: `score` as in the paper, or `accuracy`.
        penalty: lambda of the scores it was made of (Eq. 5).
        mean: mean target, less the MAC trend; with the score target the constant guess to beat.
        scale: standard deviation of the same, 1e-8 at least, so that nothing shows of targets without spread.
        mac_trend: accuracy gained by tenfold MACs, a least-squares line over the cells; 0 with the score target.
    """

    kind: str
    penalty: float
    mean: float
    scale: float
    mac_trend: float

    @classmethod
    def of(cls, kind: str, accuracy: np.ndarray, macs: np.ndarray, penalty: float) -> tuple["Target", np.ndarray]:
        """Return the target of trained cells, and its standardised values, float64 [N]."""
        values, trend = efficiency_score(accuracy, macs, penalty), 0.0
        if kind == ACCURACY:
            trend = _slope(log_macs(macs), accuracy)
            values = accuracy - trend * log_macs(macs)
        target = cls(kind, penalty, float(values.mean()), max(float(values.std()), 1e-8), trend)
        return target, (values - target.mean) / target.scale

    @property
    def needs_macs(self) -> bool:
        """Whether scores cannot be told without MACs."""
        return self.kind == ACCURACY

    def scores(self, values: np.ndarray, macs: np.ndarray | None, penalty: float) -> np.ndarray:
        """Return efficiency scores, float32 [B], of standardised predictions [B].

        Args:
            values: what was predicted.
            macs: [B] multiply-adds; only read when the target is accuracy.
            penalty: lambda. Where the target is accuracy the MAC term is exact, so that any will do.

        Raises:
            ParameterError: the target is the score, and `penalty` is not the one it was made with.
            DataError: MACs are needed and missing.
        """
        if not self.needs_macs:
            if penalty != self.penalty:
                raise ParameterError(
                    f"score.penalty = {penalty}: the predictor was fitted on scores with penalty {self.penalty}; "
                    "use that, fit again, or set predictor.target to accuracy"
                )
            return self._raw(values)
        macs = _one_a_cell(macs, len(values))
        return (self.accuracies(values, macs) - mac_term(macs, penalty)).astype(np.float32)

    def accuracies(self, values: np.ndarray, macs: np.ndarray) -> np.ndarray:
        """Return accuracies, float32 [B]; raises `ParameterError` where the target is the score."""
        if not self.needs_macs:
            raise ParameterError(
                "predictor.target = 'score': such a predictor knows no accuracies; set it to accuracy and fit again"
            )
        return (self._raw(values) + self.mac_trend * log_macs(_one_a_cell(macs, len(values)))).astype(np.float32)

    def _raw(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(values, dtype=np.float32) * np.float32(self.scale) + np.float32(self.mean)


def _one_a_cell(macs: np.ndarray | None, cells: int) -> np.ndarray:
    if macs is None or np.shape(macs) != (cells,):
        raise DataError(f"macs must hold one number for each of the {cells} cells")
    return macs


def _slope(x: np.ndarray, y: np.ndarray) -> float:
    """Return the slope of the least-squares line of y over x, 0 where x does not vary."""
    deviation = x - x.mean()
    return float(deviation @ y / max(float(deviation @ deviation), 1e-12))
