"""Successive halving (Jamieson and Talwalkar 2016): many are trained a little, the best of them go on."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Judgement:
    """What a training has given so far; the loss decides between equal accuracies, and both are NaN if it failed."""

    accuracy: float
    loss: float


@dataclass(frozen=True, eq=False)
class Halving:
    """K candidates after successive halving.

    Args:
        rungs: epochs trained by the end of each rung that was run; the first R of those that were asked for.
        accuracy: [K, R] after each rung, NaN for those that did not take part in it or failed.
        order: [K] positions of the candidates, best first: those that went further come first.
    """

    rungs: tuple[int, ...]
    accuracy: np.ndarray
    order: tuple[int, ...]

    @property
    def reached(self) -> np.ndarray:
        """Return how many rungs each candidate has finished, [K]."""
        return np.isfinite(self.accuracy).sum(axis=1)

    @property
    def last(self) -> np.ndarray:
        """Return the accuracy of each candidate after the last rung that it has finished, [K]; NaN without one."""
        rows = zip(self.accuracy, self.reached, strict=True)
        return np.array([row[count - 1] if count else np.nan for row, count in rows])

    @property
    def until(self) -> list[int]:
        """Return how many epochs each candidate was trained for, [K], those in which it failed not counted."""
        return [self.rungs[count - 1] if count else 0 for count in self.reached]


def going_on(count: int, keep: float) -> int:
    """Return how many of a rung's candidates go on to the next one: a share of them, rounded up."""
    return math.ceil(keep * count - 1e-9)  # .1 * 30 is more than 3


def best_first(judged: Sequence[Judgement]) -> list[int]:
    """Return positions by accuracy, then by loss, then as they were; failed ones last."""
    failed = [math.isnan(each.accuracy) for each in judged]
    return sorted(
        range(len(judged)),
        key=lambda place: (1, 0, 0) if failed[place] else (0, -judged[place].accuracy, judged[place].loss),
    )


def halve(
    count: int, rungs: Sequence[int], keep: float, judge: Callable[[Sequence[int], int], Sequence[Judgement]]
) -> Halving:
    """Train candidates rung by rung until all rungs are run, or one candidate is left.

    Args:
        count: candidates, those that are expected to be best first.
        rungs: epochs trained by the end of each rung, rising.
        keep: share of those in a rung that go on to the next one; a failed one does not.
        judge: trains the candidates at these positions up to so many epochs; gives a judgement of each.
    """
    left, out = list(range(count)), list[int]()
    columns: list[np.ndarray] = []
    for epochs in rungs:
        if len(left) < 2:
            break
        judged = judge(left, epochs)
        columns.append(np.full(count, np.nan))
        columns[-1][left] = [each.accuracy for each in judged]
        ranked = best_first(judged)
        finished = sum(not math.isnan(each.accuracy) for each in judged)
        kept = finished if epochs == rungs[-1] else min(going_on(len(left), keep), finished)
        out = [left[place] for place in ranked[kept:]] + out
        left = [left[place] for place in ranked[:kept]]
    accuracy = np.stack(columns, axis=1) if columns else np.empty((count, 0))
    return Halving(tuple(rungs[: len(columns)]), accuracy, (*left, *out))
