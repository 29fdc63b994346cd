"""Differences of two networks that were trained in pairs, with equal images in equal order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nasgem_core.intervals import mean_and_interval


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
    mean, half = mean_and_interval(values)
    ends = (None, None) if np.isnan(half) else (mean - half, mean + half)
    return PairedDifference(tuple(values.tolist()), mean, *ends)
