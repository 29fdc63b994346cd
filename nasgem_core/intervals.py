"""Student's 95 % intervals, which all reported means and differences have."""

import numpy as np

LEVEL = 0.95
"""Of all intervals."""
_QUANTILE = 0.975


def half_width(error: float, freedom: float) -> float:
    """Return half of the interval around an estimate.

    Args:
        error: its standard error.
        freedom: degrees of freedom of the error.
    """
    from scipy.stats import t  # a second, which most processes never need

    return float(t.ppf(_QUANTILE, freedom)) * error


def difference_of_means(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Return the mean of the first sample less that of the second, and its half-width by Welch; NaN with too few."""
    means, errors, freedoms = [], [], []
    for sample in (first, second):
        if len(sample) < 2:
            return float("nan"), float("nan")
        means.append(float(np.mean(sample)))
        errors.append(float(np.var(sample, ddof=1)) / len(sample))
        freedoms.append(len(sample) - 1)
    total = sum(errors)
    if not total:
        return means[0] - means[1], 0.0
    freedom = total**2 / sum(error**2 / own for error, own in zip(errors, freedoms, strict=True))
    return means[0] - means[1], half_width(float(np.sqrt(total)), freedom)


def mean_and_interval(values: np.ndarray) -> tuple[float, float]:
    """Return the mean and the half-width of its interval, NaN for a single value.

    Values that are not finite are left out; without any both are NaN.
    """
    kept = np.asarray(values, dtype=np.float64)
    kept = kept[np.isfinite(kept)]
    if not len(kept):
        return float("nan"), float("nan")
    if len(kept) == 1:
        return float(kept[0]), float("nan")
    return float(kept.mean()), half_width(float(kept.std(ddof=1) / np.sqrt(len(kept))), len(kept) - 1)
