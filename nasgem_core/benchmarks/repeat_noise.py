"""How much of a difference between measured cells is noise, and what that leaves to a predictor."""

import numpy as np

_DRAWS = 50


def noise_share(observed: np.ndarray, noise: float) -> float:
    """Return the share of the variance between cells measured once, [B], that is noise; at most 1."""
    variance = float(np.var(observed, ddof=1))
    return min(1.0, noise**2 / variance) if variance > 0 else 1.0


def tau_ceiling(observed: np.ndarray, noise: float, seed: int) -> float:
    """Return the Kendall tau against measurements of one run that a predictor of the true means would have.

    The true means are not known. They are taken to be spread as the observed values are, drawn towards their mean so
    far that noise of the measured size, which is added again, restores the observed variance; mean over 50 draws.

    Args:
        observed: [B] one measurement of each of B cells.
        noise: its standard deviation between repeated measurements.
        seed: of the draws.
    """
    from scipy.stats import kendalltau

    observed = np.asarray(observed, dtype=np.float64)
    true = observed.mean() + np.sqrt(1 - noise_share(observed, noise)) * (observed - observed.mean())
    if np.ptp(true) == 0:
        return 0.0
    generator = np.random.default_rng(seed)
    draws = [true + noise * generator.standard_normal(len(true)) for _ in range(_DRAWS)]
    return float(np.mean([kendalltau(true, draw).statistic for draw in draws]))
