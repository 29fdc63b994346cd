"""Pruning inside compiled loops: drop vertices without a path from the input and close the gaps (paper, 3.2)."""

import numpy as np
from numba import njit

from nasgem_core.cells.codes import PADDING_CODE


@njit(cache=True)
def prune_into(graph: np.ndarray, codes: np.ndarray, size: int, out_graph: np.ndarray, out_codes: np.ndarray) -> int:
    """Write the pruned form of one graph to `out_graph` and `out_codes`; return its number of vertices.

    Args:
        graph: [V, V] uint8.
        codes: [V] uint8.
        size: number of vertices of the graph.
        out_graph: [V, V] uint8, overwritten completely.
        out_codes: [V] uint8, overwritten completely.
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
