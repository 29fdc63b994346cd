"""The Weisfeiler-Lehman subtree kernel of cells (paper, Eq. 1; Shervashidze et al. 2011).

k(G, G') is the sum over iterations 0..h of the dot product of the two cells' label counts, and the similarity is
S_g = k(G, G') / sqrt(k(G, G) k(G', G')), in [0, 1]. The cost is linear in h and in the number of vertices and edges.
"""

import numpy as np
from numba import njit

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.refinement import code_labels, graph_size, list_edges, refine
from nasgem_core.errors import CellError

_ONE = np.uint64(1)
DIRECTIONS = ("both", "successors")
"""The neighbours that a vertex's label depends on: both sides, kept apart, or successors alone."""


@njit(cache=True)
def _labels(
    adjacency: np.ndarray, codes: np.ndarray, first: np.ndarray, see_predecessors: bool, labels: np.ndarray
) -> None:
    batch, width = codes.shape
    sources, targets = np.empty((2, width * (width - 1) // 2 + 1), dtype=np.uint8)
    scratch = np.empty((3, width), dtype=np.uint64)
    for b in range(batch):
        size = graph_size(codes[b])
        edges = list_edges(adjacency[b], size, sources, targets)
        for v in range(size):
            labels[b, 0, v] = first[codes[b, v]]
        for t in range(1, labels.shape[1]):
            refine(labels[b, t - 1], size, sources, targets, edges, see_predecessors, labels[b, t], scratch)


@njit(cache=True)
def _similarities(
    adjacency_left: np.ndarray,
    codes_left: np.ndarray,
    adjacency_right: np.ndarray,
    codes_right: np.ndarray,
    first: np.ndarray,
    iterations: int,
    see_predecessors: bool,
    similarity: np.ndarray,
) -> None:
    batch, width = codes_left.shape
    sources = np.empty((2, width * (width - 1) // 2 + 1), dtype=np.uint8)
    targets = np.empty_like(sources)
    labels, refined = np.empty((2, width), dtype=np.uint64), np.empty((2, width), dtype=np.uint64)
    scratch = np.empty((3, width), dtype=np.uint64)
    # A hash table of label counts with linear probing, large enough that labels seldom share a slot. A slot is free if
    # both counts are 0; the slots that were used are cleared afterwards.
    slots = 4
    while slots < 16 * width:
        slots *= 2
    mask = np.uint64(slots - 1)
    keys = np.empty(slots, dtype=np.uint64)
    lefts, rights = np.zeros(slots, dtype=np.int32), np.zeros(slots, dtype=np.int32)
    used = np.empty((2, width), dtype=np.uint64)
    sizes, edges = np.empty(2, dtype=np.int64), np.empty(2, dtype=np.int64)
    for b in range(batch):
        for side in range(2):
            codes = codes_left[b] if side == 0 else codes_right[b]
            adjacency = adjacency_left[b] if side == 0 else adjacency_right[b]
            sizes[side] = graph_size(codes)
            edges[side] = list_edges(adjacency, sizes[side], sources[side], targets[side])
            for v in range(sizes[side]):
                labels[side, v] = first[codes[v]]
        left_left, left_right, right_right = 0, 0, 0
        for t in range(iterations + 1):
            # (c + 1)^2 - c^2 = 2 c + 1: the dot products grow with each label.
            for v in range(sizes[0]):
                label = labels[0, v]
                slot = label & mask
                while lefts[slot] != 0 and keys[slot] != label:
                    slot = (slot + _ONE) & mask
                keys[slot] = label
                left_left += 2 * lefts[slot] + 1
                lefts[slot] += 1
                used[0, v] = slot
            for v in range(sizes[1]):
                label = labels[1, v]
                slot = label & mask
                while (lefts[slot] | rights[slot]) != 0 and keys[slot] != label:
                    slot = (slot + _ONE) & mask
                keys[slot] = label
                left_right += lefts[slot]
                right_right += 2 * rights[slot] + 1
                rights[slot] += 1
                used[1, v] = slot
            for v in range(sizes[0]):
                lefts[used[0, v]] = 0
            for v in range(sizes[1]):
                rights[used[1, v]] = 0
            if t < iterations:
                for side in range(2):
                    refine(
                        labels[side],
                        sizes[side],
                        sources[side],
                        targets[side],
                        edges[side],
                        see_predecessors,
                        refined[side],
                        scratch,
                    )
                labels, refined = refined, labels
        similarity[b] = left_right / np.sqrt(np.float64(left_left) * np.float64(right_right))


def wl_labels(cells: CellBatch, iterations: int, directions: str = "both") -> np.ndarray:
    """Return the labels of iterations 0..h as uint64 [B, h + 1, V]; padding is 0.

    Equal labels mean equal subtree patterns, in any process and any batch.

    Args:
        cells: B cells.
        iterations: h.
        directions: "both" (in-neighbours and out-neighbours, kept apart) or "successors" (out-neighbours alone, as
            implementations for undirected graphs read a directed one).

    Raises:
        CellError: `directions` is neither.
    """
    labels = np.zeros((len(cells), iterations + 1, cells.width), dtype=np.uint64)
    first = code_labels(cells.operation_names)
    _labels(cells.adjacency, cells.codes, first, _sees_predecessors(directions), labels)
    return labels


def wl_similarity(left: CellBatch, right: CellBatch, iterations: int, directions: str = "both") -> np.ndarray:
    """Return the normalised kernel S_g of each pair (left[i], right[i]) as float64 [B], exact up to rounding.

    Raises:
        CellError: the sides differ in length, operations or width, or `directions` is unknown (see `wl_labels`).
    """
    if len(left) != len(right) or left.operation_names != right.operation_names:
        raise CellError("the two sides of the pairs must have the same number of cells and the same operations")
    if left.width != right.width:
        raise CellError(f"the two sides have room for {left.width} and {right.width} vertices: use one width")
    similarity = np.empty(len(left), dtype=np.float64)
    _similarities(
        left.adjacency,
        left.codes,
        right.adjacency,
        right.codes,
        code_labels(left.operation_names),
        iterations,
        _sees_predecessors(directions),
        similarity,
    )
    return similarity


def _sees_predecessors(directions: str) -> bool:
    if directions not in DIRECTIONS:
        raise CellError(f"directions = {directions!r}: must be one of {', '.join(DIRECTIONS)}")
    return directions == "both"
