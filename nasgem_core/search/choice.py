"""Choosing a cell under noise, and what to expect of it.

The best of many single measurements is mostly the luckiest one. So the best few cells, the finalists, are trained again
from other seeds, and the cell with the highest mean is chosen. This mean is still too high, as the best of a few. What
to expect of the chosen cell is therefore the mean of further trainings of it, none of which decided the choice, so that
nothing in it was selected. Its interval is Student's, with a noise that is pooled over all repeated trainings but the
first one of each cell: these are high because they were selected.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nasgem_core.errors import DataError
from nasgem_core.search.noise import Noise


@dataclass(frozen=True)
class Estimate:
    """An expected score, or a difference of two.

    Args:
        mean: NaN where all trainings failed.
        half_width: half of the 95 % interval around it, NaN where it is not known.
    """

    mean: float
    half_width: float


def pick_finalists(scores: np.ndarray, count: int, required: Sequence[int] = ()) -> np.ndarray:
    """Return the positions of the best cells, best first.

    Args:
        scores: [N] measured scores, NaN where a training failed; such a cell is no finalist.
        count: how many, or all where there are fewer.
        required: positions of cells of which the best one is a finalist in any case, behind the others.

    Raises:
        DataError: every training failed.
    """
    scores = np.asarray(scores, dtype=np.float64)
    ranked = np.argsort(-scores, kind="stable")
    ranked = ranked[np.isfinite(scores[ranked])]
    if not len(ranked):
        raise DataError("no trained cell has a score: all trainings failed; lower proxy.learning_rate and run again")
    picked = ranked[:count]
    best_required = ranked[np.isin(ranked, required)][:1]
    return picked if np.isin(best_required, picked).all() else np.append(picked, best_required)


def best_by_mean(scores: np.ndarray) -> int:
    """Return the row of [K, R] scores with the highest mean; fewer failed trainings (NaN) come before the mean."""
    scores = np.asarray(scores, dtype=np.float64)
    failed = np.isnan(scores).sum(axis=1)
    return int(np.lexsort((-np.nansum(scores, axis=1), failed))[0])


def expected_score(scores: np.ndarray, noise: Noise | None) -> Estimate:
    """Return what to expect of a cell from trainings of it that did not decide its choice.

    Args:
        scores: [m], NaN where a training failed.
        noise: of one training, None where it is not known.
    """
    known = scores[np.isfinite(scores)]
    if not len(known):
        return Estimate(float("nan"), float("nan"))
    return Estimate(float(known.mean()), noise.half_width(1 / len(known)) if noise else float("nan"))


def expected_margin(scores: np.ndarray, others: np.ndarray, noise: Noise | None) -> Estimate:
    """Return by how much a cell is expected to be better than another one; see `expected_score`."""
    known, other = (values[np.isfinite(values)] for values in (scores, others))
    if not len(known) or not len(other):
        return Estimate(float("nan"), float("nan"))
    share = 1 / len(known) + 1 / len(other)
    return Estimate(float(known.mean() - other.mean()), noise.half_width(share) if noise else float("nan"))
