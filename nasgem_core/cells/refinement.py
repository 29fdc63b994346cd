"""Colour refinement on 64-bit labels, the inner loop of the Weisfeiler-Lehman kernel and of canonical keys.

A vertex's next label is a hash of its own label, of the multiset of its in-neighbours' labels and of that of its
out-neighbours' labels. A multiset is hashed as the sum, modulo 2^64, of a pseudo-random function of its elements, which
needs no sorting. Two different multisets of at most 250 elements collide with a probability of at most 2^-57 (the power
of two that a multiplicity can hide), so a collision among m distinct labels has a probability below m^2 * 2^-58.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numba import njit

from nasgem_core.cells.codes import FIRST_OPERATION_CODE, INPUT_CODE, PADDING_CODE
from nasgem_core.cells.random_streams import mix
from nasgem_core.operations.operation import INPUT

_IN = np.uint64(0xA24BAED4963EE407)
_OUT = np.uint64(0x9FB21C651E98DF25)
_SMALL = 64
"""Vertices up to which edges are listed by diagonals."""
_SELF_FACTOR, _OUT_FACTOR = np.uint64(0xD6E8FEB86659FD93), np.uint64(0xC2B2AE3D27D4EB4F)


def code_labels(operation_names: Sequence[str]) -> np.ndarray:
    """Return the initial label of each code: a hash of the operation's name, so it is the same in every batch."""
    labels = np.zeros(FIRST_OPERATION_CODE + len(operation_names), dtype=np.uint64)
    for code, name in [(INPUT_CODE, INPUT), *enumerate(operation_names, start=FIRST_OPERATION_CODE)]:
        labels[code] = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
    return labels


@njit(cache=True)
def list_edges(adjacency: np.ndarray, size: int, sources: np.ndarray, targets: np.ndarray) -> int:
    """Write the two ends of every edge of one graph and return the number of edges.

    To avoid a branch, every pair is written and the position advances only at an edge; so the arrays need room for one
    more than all edges. Small graphs are listed by diagonals: consecutive edges then share no vertex, so that no sum
    over edges waits for the one before. In large graphs, jumping between rows would cost more than that saves.
    """
    count = np.uint64(0)
    if size <= _SMALL:
        for step in range(1, size):
            for u in range(size - step):
                sources[count] = u
                targets[count] = u + step
                count += np.uint64(adjacency[u, u + step])
    else:
        for u in range(size):
            for v in range(u + 1, size):
                sources[count] = u
                targets[count] = v
                count += np.uint64(adjacency[u, v])
    return int(count)


@njit(cache=True)
def graph_size(codes: np.ndarray) -> int:
    """Return the number of vertices of one padded cell."""
    size = 0
    while size < codes.shape[0] and codes[size] != PADDING_CODE:
        size += 1
    return size


@njit(cache=True)
def refine(
    labels: np.ndarray,
    size: int,
    sources: np.ndarray,
    targets: np.ndarray,
    edges: int,
    see_predecessors: bool,
    refined: np.ndarray,
    scratch: np.ndarray,
) -> None:
    """Write the next labels of one graph to `refined`; `scratch` is [3, V] uint64, overwritten."""
    hashes, out_sums, in_sums = scratch[0], scratch[1], scratch[2]
    for v in range(size):
        hashes[v] = mix(labels[v] + _OUT)
        out_sums[v] = 0
        in_sums[v] = 0
    for e in range(edges):
        out_sums[sources[e]] += hashes[targets[e]]
    if see_predecessors:
        for v in range(size):
            hashes[v] = mix(labels[v] + _IN)
        for e in range(edges):
            in_sums[targets[e]] += hashes[sources[e]]
    # All three are pseudo-random words, so mixing their sum with odd factors once distinguishes them.
    for v in range(size):
        refined[v] = mix(labels[v] * _SELF_FACTOR + out_sums[v] * _OUT_FACTOR + in_sums[v])
