"""Differences of two networks that were trained in pairs, with equal images in equal order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PairedDifference:
    """The mean of paired differences and Student's 95 % interval of it.

    Args:
        values: the difference of each pair.
        mean: of the values.
        low: lower end of the interval; None for a single pair, which has no interval.
        high: upper end.
    """

    values: tuple[float, ...]
    mean: float
    low: float | None
    high: float | None


def paired_difference(first: Sequence[float], second: Sequence[float]) -> PairedDifference:
    """Return how far the first is above the second; pair k is (first[k], second[k])."""
    values = np.subtract(first, second)
    mean = float(values.mean())
    low = high = None
    if len(values) > 1:
        from scipy.stats import sem, t  # a second, which most processes never need

        reach = float(t.ppf(0.975, len(values) - 1) * sem(values))
        low, high = mean - reach, mean + reach
    return PairedDifference(tuple(values.tolist()), mean, low, high)
