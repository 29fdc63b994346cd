"""One order of vertices for all numberings of a cell, so that isomorphic cells have the same feature vector.

The paper flattens the adjacency matrix, which depends on the numbering of the vertices; the similarity that embeddings
should match does not. Vertices are therefore sorted by the length of the longest path from the input (which keeps the
order topological), then by operation, then by Weisfeiler-Lehman label. The order is our choice.
"""

import numpy as np
from numba import njit

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import PADDING_CODE
from nasgem_core.kernel.wl import wl_labels

_ITERATIONS = 3
"""Iterations of the labels: vertices that are still tied are nearly always twins, whose order does not matter."""


@njit(cache=True)
def _order(
    adjacency: np.ndarray, codes: np.ndarray, labels: np.ndarray, ordered: np.ndarray, ordered_codes: np.ndarray
) -> None:
    batch, width = codes.shape
    depth = np.empty(width, dtype=np.int64)
    order = np.empty(width, dtype=np.int64)
    for b in range(batch):
        size = 0
        while size < width and codes[b, size] != PADDING_CODE:
            depth[size] = 0
            for u in range(size):
                if adjacency[b, u, size] and depth[u] >= depth[size]:
                    depth[size] = depth[u] + 1
            # Insertion sort: the vertices before this one are already sorted.
            i = size
            while i > 0 and _before(size, order[i - 1], depth, codes[b], labels[b]):
                order[i] = order[i - 1]
                i -= 1
            order[i] = size
            size += 1
        for i in range(size):
            ordered_codes[b, i] = codes[b, order[i]]
            for j in range(i + 1, size):
                ordered[b, i, j] = adjacency[b, order[i], order[j]]


@njit(inline="always")
def _before(u: int, v: int, depth: np.ndarray, codes: np.ndarray, labels: np.ndarray) -> bool:
    """Return whether u comes before v; labels of early iterations decide first, as distant edits do not change them."""
    if depth[u] != depth[v]:
        return depth[u] < depth[v]
    if codes[u] != codes[v]:
        return codes[u] < codes[v]
    for t in range(1, labels.shape[0]):
        if labels[t, u] != labels[t, v]:
            return labels[t, u] < labels[t, v]
    return False


def order_vertices(cells: CellBatch) -> CellBatch:
    """Return the cells with their vertices in the order that this module describes."""
    adjacency, codes = np.zeros_like(cells.adjacency), np.zeros_like(cells.codes)
    _order(cells.adjacency, cells.codes, wl_labels(cells, _ITERATIONS), adjacency, codes)
    return CellBatch(adjacency, codes, cells.operation_names)
