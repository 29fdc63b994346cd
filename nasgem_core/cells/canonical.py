"""Canonical keys: equal exactly for isomorphic cells, so that each network is trained once.

Colour refinement orders the vertices of most cells completely. Vertices that still share a colour are either twins
(the same operation and the same neighbours on both sides: any order gives the same matrix), or BLISS (Junttila, Kaski
2007) searches for the canonical order that respects the colours. Which of the three happens does not depend on the
numbering of the vertices, so the key does not either; a hash collision can only cause a search.
"""

import hashlib
from collections.abc import Sequence

import igraph
import numpy as np
from numba import njit

from nasgem_core.cells.codes import PADDING_CODE, code_table
from nasgem_core.cells.refinement import code_labels, graph_size, list_edges, refine

_ORDERED, _NEEDS_SEARCH = 0, 1


@njit(cache=True)
def _are_twins(graph: np.ndarray, size: int, a: int, b: int) -> bool:
    for w in range(size):
        if graph[a, w] != graph[b, w] or graph[w, a] != graph[w, b]:
            return False
    return True


@njit(cache=True)
def _sort_vertices(labels: np.ndarray, size: int, order: np.ndarray) -> int:
    """Write the vertices in ascending order of their labels; return the number of different labels.

    This is an insertion sort: cells are small, and NumPy's sort takes seconds to compile.
    """
    for i in range(size):
        j = i
        while j > 0 and labels[order[j - 1]] > labels[i]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = i
    different = 1
    for i in range(1, size):
        different += labels[order[i]] != labels[order[i - 1]]
    return different


@njit(cache=True)
def _refine_orders(
    adjacency: np.ndarray,
    codes: np.ndarray,
    first: np.ndarray,
    orders: np.ndarray,
    colours: np.ndarray,
    verdicts: np.ndarray,
) -> None:
    """Order the vertices of each cell by their stable colour; mark the cells that still need a search."""
    batch, width = codes.shape
    sources, targets = np.empty((2, width * (width - 1) // 2 + 1), dtype=np.uint8)
    labels, refined = np.empty(width, dtype=np.uint64), np.empty(width, dtype=np.uint64)
    scratch = np.empty((3, width), dtype=np.uint64)
    for b in range(batch):
        size = graph_size(codes[b])
        edges = list_edges(adjacency[b], size, sources, targets)
        for v in range(size):
            labels[v] = first[codes[b, v]]
        classes = 0
        order = orders[b]
        while True:
            found = _sort_vertices(labels, size, order)
            if found in (classes, size):
                break
            classes = found
            refine(labels, size, sources, targets, edges, True, refined, scratch)
            labels, refined = refined, labels
        colours[b, :size] = labels[:size]
        verdicts[b] = _ORDERED
        for i in range(1, size):
            u, v = order[i - 1], order[i]
            if labels[u] == labels[v] and not _are_twins(adjacency[b], size, u, v):
                verdicts[b] = _NEEDS_SEARCH
                break


def _search_order(adjacency: np.ndarray, colours: np.ndarray) -> list[int]:
    """Return the canonical order that BLISS finds for one graph with ordered colours.

    BLISS works on undirected graphs, so each vertex becomes two of different colours, an end and a start, joined by an
    edge; the edge u -> v joins the start of u to the end of v.
    """
    size = len(colours)
    ranks = np.unique(colours, return_inverse=True)[1]
    edges = [(u, u + size) for u in range(size)]
    edges += [(u + size, v) for u, v in np.argwhere(adjacency).tolist()]
    graph = igraph.Graph(2 * size, edges)
    # Since igraph 1.0 this is the vertex at each position; before, it was the position of each vertex.
    order = graph.canonical_permutation(color=[*ranks.tolist(), *(ranks + size).tolist()])
    return [int(v) for v in order if v < size]


def canonical_orders(adjacency: np.ndarray, codes: np.ndarray, operation_names: Sequence[str]) -> np.ndarray:
    """Return the canonical order of each cell's vertices, [B, V]; entries beyond a cell's size are unused.

    Args:
        adjacency: [B, V, V].
        codes: [B, V], as in `CellBatch`.
        operation_names: the names behind the codes.
    """
    batch, width = codes.shape
    orders = np.zeros((batch, width), dtype=np.int64)
    colours = np.zeros((batch, width), dtype=np.uint64)
    verdicts = np.zeros(batch, dtype=np.uint8)
    _refine_orders(adjacency, codes, code_labels(operation_names), orders, colours, verdicts)
    sizes = (codes != PADDING_CODE).sum(axis=1)
    for i in np.flatnonzero(verdicts == _NEEDS_SEARCH):
        size = sizes[i]
        orders[i, :size] = _search_order(adjacency[i, :size, :size], colours[i, :size])
    return orders


def canonical_keys(adjacency: np.ndarray, codes: np.ndarray, operation_names: Sequence[str]) -> list[str]:
    """Return one key of 32 hexadecimal digits per cell, equal exactly for isomorphic cells.

    Operations enter by name, so keys of different batches and search spaces are comparable. (The key is 128 bits of
    BLAKE2b: among m different cells, the probability of a collision is below m^2 * 2^-129.)

    Args:
        adjacency: [B, V, V].
        codes: [B, V], as in `CellBatch`.
        operation_names: the names behind the codes.
    """
    orders, sizes = canonical_orders(adjacency, codes, operation_names), (codes != PADDING_CODE).sum(axis=1)
    name_of_code = {code: name for name, code in code_table(operation_names).items()}
    keys = []
    for i, size in enumerate(sizes):
        order = orders[i, :size]
        names = "\x1f".join(name_of_code[code] for code in codes[i, order].tolist())
        matrix = np.packbits(adjacency[i][np.ix_(order, order)]).tobytes()
        keys.append(hashlib.blake2b(names.encode() + b"\x00" + matrix, digest_size=16).hexdigest())
    return keys


def topological_order(adjacency: np.ndarray, order: np.ndarray) -> list[int]:
    """Return the topological order that always takes the first possible vertex of a canonical order.

    Args:
        adjacency: [V, V] of one cell.
        order: [V], its canonical order.
    """
    rank = np.argsort(order)
    placed: list[int] = []
    waiting = adjacency.sum(axis=0).astype(int)
    ready = {0}
    while ready:
        vertex = min(ready, key=lambda v: rank[v])
        ready.remove(vertex)
        placed.append(vertex)
        for successor in np.flatnonzero(adjacency[vertex]):
            waiting[successor] -= 1
            if waiting[successor] == 0:
                ready.add(int(successor))
    return placed
