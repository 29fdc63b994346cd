"""How well two measurements of the same cells agree in their ranks, with an interval: cells are few."""

from dataclasses import dataclass

import numpy as np

from nasgem_core.intervals import LEVEL

_RESAMPLES = 2_000


@dataclass(frozen=True)
class RankAgreement:
    """Kendall's tau-b of two measurements and its 95 % interval; NaN where nothing is ranked."""

    tau: float
    low: float
    high: float


def rank_agreement(first: np.ndarray, second: np.ndarray) -> RankAgreement:
    """Return Kendall's tau-b of two measurements, with the percentiles of resampled cells as interval.

    All three are NaN for fewer than 3 cells, and when either side is constant.

    Args:
        first: [B], finite.
        second: [B], finite.
    """
    count = len(first)
    if count < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return RankAgreement(float("nan"), float("nan"), float("nan"))
    signs = [np.sign(np.subtract.outer(values, values)) for values in (first, second)]
    drawn = np.random.default_rng(0).integers(0, count, (_RESAMPLES, count))
    taus = [_tau(signs, places) for places in drawn]
    tail = 50 * (1 - LEVEL)
    low, high = np.nanpercentile(taus, [tail, 100 - tail])
    return RankAgreement(_tau(signs, np.arange(count)), float(low), float(high))


def _tau(signs: list[np.ndarray], places: np.ndarray) -> float:
    """Return tau-b of some cells, from the signs of all differences of both sides; NaN where one is constant."""
    first, second = (sign[np.ix_(places, places)] for sign in signs)
    pairs = np.sqrt(np.square(first).sum() * np.square(second).sum())
    return float((first * second).sum() / pairs) if pairs else float("nan")
