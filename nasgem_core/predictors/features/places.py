"""What is at which depth: operations by their distance from the input and to the output, and edges between depths.

Where a cell is a chain with skips, these columns say which operation each layer has and which layers each one reads.
"""

import numpy as np
from numba import njit

_FAR, _NEAR = 12, 4
"""Longest and shortest distances up to which the depths of operations differ; what is farther counts as these."""
_SPAN = 8
"""Depth up to which the ends of an edge are told apart."""
_SIDES = ("from_input", "to_output")


def place_names(kinds: int) -> list[str]:
    """Return the columns' names, `group:detail`, for K = `kinds` operations."""
    names = []
    for what, depths in (("longest", _FAR), ("shortest", _NEAR)):
        for side in _SIDES:
            names += [f"{what}_{side}:{o}-{d}" for o in range(kinds) for d in range(1, depths + 1)]
    return names + [f"span:{i}-{j}" for i in range(_SPAN + 1) for j in range(i, _SPAN + 1)]


@njit(cache=True)
def write_places(
    adjacency: np.ndarray, operations: np.ndarray, sizes: np.ndarray, costs: np.ndarray, divided: bool, out: np.ndarray
) -> None:
    """Write one row a cell; see `nasgem_core.predictors.features.cell_features.cell_features` for the arguments.

    A vertex without a path to the output, which no pruned cell has, counts as next to it. Spans go by the longest
    distance from the input, which the output has too.
    """
    room, kinds = operations.shape[1], len(costs)
    longest, shortest = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    after, nearest = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    shorter = 2 * kinds * _FAR
    spans = shorter + 2 * kinds * _NEAR
    for b in range(len(sizes)):
        n = sizes[b]
        last = n - 1
        a, code, row = adjacency[b], operations[b], out[b]
        longest[:n], shortest[:n], after[:n], nearest[:n] = 0, room, 0, room
        shortest[0], nearest[last] = 0, 0
        for v in range(1, n):
            for u in range(v):
                if a[u, v]:
                    longest[v] = max(longest[v], longest[u] + 1)
                    shortest[v] = min(shortest[v], shortest[u] + 1)
        for u in range(last - 1, -1, -1):
            for v in range(u + 1, n):
                if a[u, v]:
                    after[u] = max(after[u], after[v] + 1)
                    nearest[u] = min(nearest[u], nearest[v] + 1)
        for v in range(1, last):
            o = code[v]
            row[o * _FAR + min(max(longest[v], 1), _FAR) - 1] += 1
            row[(kinds + o) * _FAR + min(max(after[v], 1), _FAR) - 1] += 1
            row[shorter + o * _NEAR + min(shortest[v], _NEAR) - 1] += 1
            row[shorter + (kinds + o) * _NEAR + min(nearest[v], _NEAR) - 1] += 1
        for u in range(last):
            i = min(longest[u], _SPAN)
            for v in range(u + 1, n):
                if a[u, v]:
                    j = min(longest[v], _SPAN)
                    row[spans + i * (_SPAN + 1) - i * (i - 1) // 2 + j - i] += 1
