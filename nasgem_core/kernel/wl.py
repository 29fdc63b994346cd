"""The Weisfeiler-Lehman subtree kernel of cells (paper, Eq. 1; Shervashidze et al. 2011).

k(G, G') is the sum over iterations 0..h of the dot product of the two cells' label counts, and the similarity is
S_g = k(G, G') / sqrt(k(G, G) k(G', G')), in [0, 1]. Cost is linear in h and in vertices plus edges.
"""

import numpy as np
from numba import njit

from nasgem_core.cells.cell import CellBatch
from nasgem_core.cells.refinement import code_labels, graph_size, list_edges, refine
from nasgem_core.errors import CellError

_ONE = np.uint64(1)
DIRECTIONS = ("both", "successors")


@njit(cache=True)
def _labels(
    adjacency: np.ndarray, codes: np.ndarray, first: np.ndarray, see_predecessors: bool, labels: np.ndarray
) -> None:
    batch, width = codes.shape
    starts = np.empty(width + 1, dtype=np.uint32)
    targets = np.empty(width * (width - 1) // 2 + 1, dtype=np.uint8)
    scratch = np.empty((2, width), dtype=np.uint64)
    for b in range(batch):
        size = graph_size(codes[b])
        list_edges(adjacency[b], size, starts, targets)
        for v in range(size):
            labels[b, 0, v] = first[codes[b, v]]
        for t in range(1, labels.shape[1]):
            refine(labels[b, t - 1], size, starts, targets, see_predecessors, labels[b, t], scratch)


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
    starts = np.empty((2, width + 1), dtype=np.uint32)
    targets = np.empty((2, width * (width - 1) // 2 + 1), dtype=np.uint8)
    labels, refined = np.empty((2, width), dtype=np.uint64), np.empty((2, width), dtype=np.uint64)
    scratch = np.empty((2, width), dtype=np.uint64)
    # A hash table of label counts with linear probing; a slot is in use when its stamp is the current one, so the
    # table is cleared by counting up.
    slots = 4
    while slots < 4 * width:
        slots *= 2
    mask = np.uint64(slots - 1)
    keys = np.empty(slots, dtype=np.uint64)
    counts = np.empty((slots, 2), dtype=np.int64)
    stamps = np.zeros(slots, dtype=np.int64)
    stamp = 0
    sizes = np.empty(2, dtype=np.int64)
    for b in range(batch):
        for side in range(2):
            codes = codes_left[b] if side == 0 else codes_right[b]
            adjacency = adjacency_left[b] if side == 0 else adjacency_right[b]
            sizes[side] = graph_size(codes)
            list_edges(adjacency, sizes[side], starts[side], targets[side])
            for v in range(sizes[side]):
                labels[side, v] = first[codes[v]]
        left_left, left_right, right_right = 0, 0, 0
        for t in range(iterations + 1):
            stamp += 1
            for side in range(2):
                for v in range(sizes[side]):
                    label = labels[side, v]
                    slot = label & mask
                    while stamps[slot] == stamp and keys[slot] != label:
                        slot = (slot + _ONE) & mask
                    if stamps[slot] != stamp:
                        stamps[slot] = stamp
                        keys[slot] = label
                        counts[slot, 0] = 0
                        counts[slot, 1] = 0
                    # (c + 1)^2 - c^2 = 2 c + 1: the dot products grow as labels come in.
                    if side == 0:
                        left_left += 2 * counts[slot, 0] + 1
                    else:
                        left_right += counts[slot, 0]
                        right_right += 2 * counts[slot, 1] + 1
                    counts[slot, side] += 1
            if t < iterations:
                for side in range(2):
                    refine(
                        labels[side], sizes[side], starts[side], targets[side], see_predecessors, refined[side], scratch
                    )
                labels, refined = refined, labels
        similarity[b] = left_right / np.sqrt(np.float64(left_left) * np.float64(right_right))


def wl_labels(cells: CellBatch, iterations: int, directions: str = "both") -> np.ndarray:
    """Return the labels of iterations 0..h as uint64 [B, h + 1, V]; padding is 0.

    Equal labels mean equal subtree patterns, in any process and any batch. `directions` is "both" (in-neighbours and
    out-neighbours, kept apart) or "successors" (out-neighbours alone, as undirected implementations read a directed
    graph).
    """
    labels = np.zeros((len(cells), iterations + 1, cells.width), dtype=np.uint64)
    first = code_labels(cells.operation_names)
    _labels(cells.adjacency, cells.codes, first, _sees_predecessors(directions), labels)
    return labels


def wl_similarity(left: CellBatch, right: CellBatch, iterations: int, directions: str = "both") -> np.ndarray:
    """Return the normalised kernel S_g of pair i = (left[i], right[i]) as float64 [B], exact up to rounding."""
    if len(left) != len(right) or left.operation_names != right.operation_names:
        raise CellError("the two sides of the pairs must be equally many cells of one search space")
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
