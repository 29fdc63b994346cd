"""How well a predictor ranks the cells of a table, and what noise alone allows."""

import numpy as np

from nasgem_core.errors import DataError
from nasgem_core.search.ranking import rank_correlation

MEASURES = ("kendall_tau", "spearman_rho", "pearson_r", "top_precision", "rank_at_10")
"""What `judge` returns, by name."""
_TOP = 0.01
_SHORT_LIST = 10


def judge(predicted: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Return how well scores [B] rank cells of true accuracies [B].

    - `kendall_tau` (tau-b), `spearman_rho`, `pearson_r`: correlations, NaN where either side is constant;
    - `top_precision`: the share of the best 1 % by prediction that is among the best 1 % in truth (guessing: .01);
    - `rank_at_10`, in the literature N@10: the true rank, from 1, of the best of the 10 cells predicted best.

    Equal predictions are broken by position, so give the cells in random order.

    Raises:
        DataError: shapes differ or a value is not finite.
    """
    from scipy.stats import rankdata

    correlations = rank_correlation(predicted, truth)
    varied = len(truth) > 2 and np.ptp(predicted) > 0 and np.ptp(truth) > 0
    correlations["pearson_r"] = float(np.corrcoef(predicted, truth)[0, 1]) if varied else float("nan")
    order = np.argsort(-np.asarray(predicted, dtype=np.float64), kind="stable")
    rank = rankdata(-np.asarray(truth, dtype=np.float64), method="min")
    top = max(1, int(_TOP * len(truth)))
    return {
        **correlations,
        "top_precision": float((rank[order[:top]] <= top).mean()),
        "rank_at_10": float(rank[order[:_SHORT_LIST]].min()),
    }


def prediction_bias(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Return the global prediction bias B = A_B - A_P (Figure 5).

    A_B is the best true accuracy among the candidates, A_P that of the candidate predicted best.

    Raises:
        DataError: there is no candidate, or not one score for each.
    """
    if not len(truth) or np.shape(predicted) != np.shape(truth):
        raise DataError(
            f"predicted has shape {np.shape(predicted)}, truth {np.shape(truth)}: give one number for each cell"
        )
    return float(truth.max() - truth[np.argmax(predicted)])
