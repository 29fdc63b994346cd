"""Random edits and random renumberings of cells.

An edit flips one possible edge, replaces the operation of one vertex, or appends a vertex as the successor of a random
one. A renumbering puts the vertices in a random topological order: an isomorphic cell with another matrix.
"""

import numpy as np
from numba import njit

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import FIRST_OPERATION_CODE
from nasgem_core.cells.pruning import prune_into
from nasgem_core.cells.random_streams import below, start_stream, uniform
from nasgem_core.cells.refinement import graph_size

_FLIP_EDGE, _REPLACE_OPERATION = 0.6, 0.9
"""A random number below the first flips an edge, below the second replaces an operation, else appends a vertex."""


@njit(cache=True)
def _edit(seed: np.uint64, adjacency: np.ndarray, codes: np.ndarray, edits: np.ndarray, num_operations: int) -> None:
    batch, width = codes.shape
    graph = np.zeros((width, width), dtype=np.uint8)
    labels = np.zeros(width, dtype=np.uint8)
    state = np.zeros(1, dtype=np.uint64)
    for b in range(batch):
        if edits[b] == 0:
            continue
        start_stream(state, seed, b)
        first_size = graph_size(codes[b])
        out_graph, out_codes = adjacency[b].copy(), codes[b].copy()
        kept = 0
        while kept < 2:
            graph[:], labels[:] = adjacency[b], codes[b]
            size = first_size
            for _ in range(edits[b]):
                kind = uniform(state)
                if kind < _FLIP_EDGE:
                    v = 1 + below(state, size - 1)
                    u = below(state, v)
                    graph[u, v] ^= 1
                elif kind < _REPLACE_OPERATION:
                    labels[1 + below(state, size - 1)] = FIRST_OPERATION_CODE + below(state, num_operations)
                elif size < width:
                    graph[below(state, size), size] = 1
                    labels[size] = FIRST_OPERATION_CODE + below(state, num_operations)
                    size += 1
            kept = prune_into(graph, labels, size, out_graph, out_codes)
        adjacency[b], codes[b] = out_graph, out_codes


@njit(cache=True)
def _renumber(seed: np.uint64, adjacency: np.ndarray, codes: np.ndarray, chosen: np.ndarray) -> None:
    batch, width = codes.shape
    order = np.empty(width, dtype=np.int64)
    ready = np.empty(width, dtype=np.int64)
    waiting = np.empty(width, dtype=np.int64)
    state = np.zeros(1, dtype=np.uint64)
    for b in range(batch):
        if not chosen[b]:
            continue
        start_stream(state, seed, b)
        size = graph_size(codes[b])
        for v in range(size):
            waiting[v] = adjacency[b, :v, v].sum()
        ready[0], num_ready = 0, 1
        for position in range(size):
            pick = below(state, num_ready)
            u = ready[pick]
            num_ready -= 1
            ready[pick] = ready[num_ready]
            order[position] = u
            for v in range(u + 1, size):
                if adjacency[b, u, v]:
                    waiting[v] -= 1
                    if waiting[v] == 0:
                        ready[num_ready] = v
                        num_ready += 1
        graph, labels = adjacency[b].copy(), codes[b].copy()
        for j in range(size):
            codes[b, j] = labels[order[j]]
            for i in range(size):
                adjacency[b, i, j] = graph[order[i], order[j]]


def edit_cells(cells: CellBatch, edits: np.ndarray, seed: int) -> CellBatch:
    """Apply `edits[i]` random edits to cell i, and prune it.

    Edits that would leave only the input are drawn again. No cell grows beyond the batch's width.
    """
    adjacency, codes = cells.adjacency.copy(), cells.codes.copy()
    _edit(np.uint64(seed), adjacency, codes, np.asarray(edits, dtype=np.int64), len(cells.operation_names))
    return CellBatch(adjacency, codes, cells.operation_names)


def renumber_cells(cells: CellBatch, chosen: np.ndarray, seed: int) -> CellBatch:
    """Put the vertices of each cell where `chosen` [B] is true in a random topological order."""
    adjacency, codes = cells.adjacency.copy(), cells.codes.copy()
    _renumber(np.uint64(seed), adjacency, codes, np.asarray(chosen, dtype=np.bool_))
    return CellBatch(adjacency, codes, cells.operation_names)
