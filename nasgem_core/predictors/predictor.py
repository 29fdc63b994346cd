"""What every predictor offers, and the targets that all of them are fitted to."""

from typing import Protocol, Self

import numpy as np

from nasgem_core.errors import DataError
from nasgem_core.predictors.space import Space


class Predictor(Protocol):
    """Learns the order of cells from a few labelled ones.

    A predictor is made for one `Space`; cells are given as its row numbers, or as those of another space that reads
    cells alike: with the same notation and the same `Standard`.
    """

    def fit(self, rows: np.ndarray, labels: np.ndarray, seed: int) -> Self:
        """Learn from the accuracies `labels` [N] of the cells `rows` [N], which are in random order; return itself.

        Equal arguments give equal predictions on one machine, whatever was fitted before.

        Raises:
            DataError: see `normal_scores`.
        """

    def predict(self, rows: np.ndarray, space: Space | None = None) -> np.ndarray:
        """Return one score [M] for each of the cells `rows` [M]: the higher, the more accurate; only order counts.

        The rows are those of `space` where one is given. A cell's score is the same in all spaces that read it alike.
        """


def normal_scores(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return what is learned in place of the labels: their normal quantiles by rank, of variance 1, float64 [N].

    A failed training is then one low rank, and not an outlier that rules the fit.

    Raises:
        DataError: there is not one finite label per row, or all labels are equal.
    """
    from scipy.stats import norm, rankdata

    if np.ndim(rows) != 1 or np.shape(labels) != np.shape(rows):
        raise DataError(f"labels has shape {np.shape(labels)} for rows of shape {np.shape(rows)}: give one for each")
    wrong = np.flatnonzero(~np.isfinite(labels))
    if len(wrong):
        raise DataError(f"labels[{wrong[0]}] = {labels[wrong[0]]}: leave out cells that were not measured")
    scores = norm.ppf((rankdata(labels) - 0.5) / max(len(labels), 1))
    spread = scores.std() if len(scores) else 0.0
    if spread == 0:
        raise DataError(f"labels has {len(labels)} values and no two differ: nothing can be ranked; label more cells")
    return scores / spread
