"""Pruning inside compiled loops: drop vertices with no path from the input, close the gaps (paper, 3.2)."""

import numpy as np
from numba import njit

from nasgem_core.cells.codes import PADDING_CODE


@njit(cache=True)
def prune_into(graph: np.ndarray, codes: np.ndarray, size: int, out_graph: np.ndarray, out_codes: np.ndarray) -> int:
    """Write the pruned, compacted form of one [V, V] graph with `size` vertices; return its number of vertices.

    `out_graph` and `out_codes` are overwritten whole, padding included.
    """
    new_index = np.empty(size, dtype=np.int64)
    new_index[0] = 0
    kept = 1
    for v in range(1, size):
        new_index[v] = -1
        for u in range(v):
            if graph[u, v] and new_index[u] >= 0:
                new_index[v] = kept
                kept += 1
                break
    out_graph[:] = 0
    out_codes[:] = PADDING_CODE
    for v in range(size):
        j = new_index[v]
        if j < 0:
            continue
        out_codes[j] = codes[v]
        for u in range(v):
            if graph[u, v] and new_index[u] >= 0:
                out_graph[new_index[u], j] = 1
    return kept
