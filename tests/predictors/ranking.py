"""How well a predictor orders cells that it was not fitted to."""

import numpy as np
from scipy.stats import kendalltau

from nasgem_core.predictors.predictor import Predictor

ROWS, OTHERS = np.arange(100), np.arange(100, 600)


def tau(scores: np.ndarray, accuracies: np.ndarray) -> float:
    """Return Kendall's tau of scores of the cells `OTHERS`; 0 for constants, which order nothing."""
    return 0.0 if np.ptp(scores) == 0 else float(kendalltau(scores, accuracies[OTHERS])[0])


def tau_on_others(predictor: Predictor, accuracies: np.ndarray, rows: np.ndarray = ROWS) -> float:
    return tau(predictor.fit(rows, accuracies[rows], 3).predict(OTHERS), accuracies)
