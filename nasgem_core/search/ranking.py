"""How well predictions rank and match what was measured afterwards."""

import numpy as np

from nasgem_core.errors import DataError


def rank_correlation(predicted: np.ndarray, measured: np.ndarray) -> dict[str, float]:
    """Return Kendall's tau-b and Spearman's rho of predictions and measurements, [B] each.

    Both are NaN for fewer than 3 rows, and when either side is constant: nothing is ranked then.
    """
    from scipy.stats import kendalltau, spearmanr  # a second, which most processes never need

    _check(predicted, measured)
    if len(predicted) < 3 or np.ptp(predicted) == 0 or np.ptp(measured) == 0:
        return {"kendall_tau": float("nan"), "spearman_rho": float("nan")}
    return {
        "kendall_tau": float(kendalltau(predicted, measured).statistic),
        "spearman_rho": float(spearmanr(predicted, measured).statistic),
    }


def prediction_error(predicted: np.ndarray, measured: np.ndarray, guess: float) -> dict[str, float]:
    """Return the mean squared error of the predictions, and that of one constant `guess`.

    The guess is the mean of what the predictor was fitted on. Both are NaN when there are no rows.
    """
    _check(predicted, measured)
    if not len(predicted):
        return {"squared_error": float("nan"), "constant_squared_error": float("nan")}
    return {
        "squared_error": float(np.mean(np.square(np.subtract(predicted, measured, dtype=np.float64)))),
        "constant_squared_error": float(np.mean(np.square(np.subtract(guess, measured, dtype=np.float64)))),
    }


def _check(predicted: np.ndarray, measured: np.ndarray) -> None:
    if np.shape(predicted) != np.shape(measured) or np.ndim(predicted) != 1:
        raise DataError(
            f"predicted has shape {np.shape(predicted)}, measured {np.shape(measured)}: "
            "give one number per cell in each"
        )
    for name, values in (("predicted", predicted), ("measured", measured)):
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong):
            raise DataError(f"{name}[{wrong[0]}] = {values[wrong[0]]}: leave out cells that failed")
