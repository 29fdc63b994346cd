"""Boosted trees compiled for scoring whole spaces.

After QuickScorer (Lucchese et al. 2015): a leaf is a bit of a mask, a split that sends a cell to the right clears the
bits of all leaves on its left, and the lowest bit that remains is the leaf. So a tree is a few comparisons of whole
columns, without branches.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from sklearn.ensemble import GradientBoostingRegressor

from nasgem_core.errors import ParameterError

MAX_LEAVES = 16
_BLOCK = 512
_ALL = 2**MAX_LEAVES - 1
_LOWEST = np.array([0, *(int(mask & -mask).bit_length() - 1 for mask in range(1, _ALL + 1))], dtype=np.uint8)


class Forest:
    """The sum of the trees of fitted regressors, over their number.

    Args:
        models: fitted with squared error, at most 16 leaves per tree.

    Raises:
        ParameterError: a tree has more leaves.
    """

    def __init__(self, models: Sequence[GradientBoostingRegressor]) -> None:
        trees = [(model.learning_rate, stage[0].tree_) for model in models for stage in model.estimators_]
        self._base = float(np.mean([model.init_.constant_.item() for model in models]))
        splits: list[tuple[int, float, int]] = []
        self._ends = np.zeros(len(trees), dtype=np.int64)
        self._values = np.zeros((len(trees), MAX_LEAVES))
        for i, (rate, tree) in enumerate(trees):
            if tree.n_leaves > MAX_LEAVES:
                raise ParameterError(f"a tree has {tree.n_leaves} leaves: at most {MAX_LEAVES} can be scored")
            leaves = _leaves_below(tree.children_left, tree.children_right)
            for node, left in enumerate(tree.children_left):
                if left >= 0:
                    cleared = sum(1 << leaf for leaf in leaves[left])
                    splits.append((tree.feature[node], tree.threshold[node], _ALL ^ cleared))
                else:
                    self._values[i, leaves[node][0]] = rate * tree.value[node, 0, 0] / len(models)
            self._ends[i] = len(splits)
        self._columns = np.array([column for column, _, _ in splits], dtype=np.int64)
        self._limits = _rounded_down(np.array([limit for _, limit, _ in splits], dtype=np.float64))
        self._masks = np.array([mask for _, _, mask in splits], dtype=np.uint16)

    def predict(self, features: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return float64 [rows] for float32 features [B, F], as scikit-learn's trees would."""
        out = np.full(len(rows), self._base)
        _score(features, rows, self._columns, self._limits, self._masks, self._ends, self._values, _LOWEST, out)
        return out


def _leaves_below(left: np.ndarray, right: np.ndarray) -> list[list[int]]:
    """Return, for each node, the numbers of its leaves, which are counted from left to right."""
    below: list[list[int]] = [[] for _ in left]
    count = 0

    def visit(node: int) -> list[int]:
        nonlocal count
        if left[node] < 0:
            below[node] = [count]
            count += 1
        else:
            below[node] = [*visit(left[node]), *visit(right[node])]
        return below[node]

    visit(0)
    return below


def _rounded_down(limits: np.ndarray) -> np.ndarray:
    """Return the largest float32 up to each limit: a float32 is above the one exactly if it is above the other."""
    near = limits.astype(np.float32)
    return np.where(near > limits, np.nextafter(near, np.float32(-np.inf)), near)


@njit(cache=True)
def _score(
    features: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    limits: np.ndarray,
    masks: np.ndarray,
    ends: np.ndarray,
    values: np.ndarray,
    lowest: np.ndarray,
    out: np.ndarray,
) -> None:
    block = np.empty((features.shape[1], _BLOCK), dtype=np.float32)
    alive = np.empty(_BLOCK, dtype=np.uint16)
    for start in range(0, len(rows), _BLOCK):
        size = min(_BLOCK, len(rows) - start)
        for i in range(size):
            for f in range(features.shape[1]):
                block[f, i] = features[rows[start + i], f]
        first = 0
        for t in range(len(ends)):
            alive[:] = np.uint16(_ALL)
            for s in range(first, ends[t]):
                column, limit, mask = block[columns[s]], limits[s], masks[s]
                for i in range(_BLOCK):
                    alive[i] &= mask if column[i] > limit else np.uint16(_ALL)
            first = ends[t]
            for i in range(size):
                out[start + i] += values[t, lowest[alive[i]]]
