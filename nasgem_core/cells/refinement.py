"""Colour refinement on 64-bit labels, the inner loop of the Weisfeiler-Lehman kernel and of canonical keys.

A label is refined by itself, the multiset of its in-neighbours' labels and that of its out-neighbours', kept apart. A
multiset is hashed as the sum, modulo 2^64, of a pseudo-random function of its elements, which needs no sorting. Two
different multisets of at most 250 elements collide with a chance of at most 2^-57 (the power of two that a
multiplicity can hide), so m distinct labels meet a collision with a chance below m^2 * 2^-58.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numba import njit

from nasgem_core.cells.cell import FIRST_OPERATION_CODE, INPUT_CODE, PADDING_CODE
from nasgem_core.cells.operations import INPUT
from nasgem_core.cells.random_streams import mix

_IN = np.uint64(0xA24BAED4963EE407)
_OUT = np.uint64(0x9FB21C651E98DF25)
_SELF_FACTOR, _OUT_FACTOR = np.uint64(0xD6E8FEB86659FD93), np.uint64(0xC2B2AE3D27D4EB4F)


def code_labels(operation_names: Sequence[str]) -> np.ndarray:
    """Return the first label of each code: a hash of the operation's name, so it is the same in every batch."""
    labels = np.zeros(FIRST_OPERATION_CODE + len(operation_names), dtype=np.uint64)
    for code, name in [(INPUT_CODE, INPUT), *enumerate(operation_names, start=FIRST_OPERATION_CODE)]:
        labels[code] = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
    return labels


@njit(cache=True)
def list_edges(adjacency: np.ndarray, size: int, starts: np.ndarray, targets: np.ndarray) -> None:
    """Write the edges of one graph: those of vertex u lead to targets[starts[u]:starts[u + 1]].

    Every target is written and the place moves on where there is an edge, which needs no branch; so `targets` has room
    for one more than the edges. Indices are unsigned, which spares the test for an index from the end.
    """
    count = np.uint64(0)
    for u in range(size):
        starts[u] = count
        for v in range(u + 1, size):
            targets[count] = v
            count += np.uint64(adjacency[u, v])
    starts[size] = count


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
    starts: np.ndarray,
    targets: np.ndarray,
    see_predecessors: bool,
    refined: np.ndarray,
    scratch: np.ndarray,
) -> None:
    """Write the next labels of one graph to `refined`; `scratch` has room for two rows of V words."""
    hashes, in_sums = scratch[0], scratch[1]
    for v in range(size):
        hashes[v] = mix(labels[v] + _OUT)
        in_sums[v] = 0
    for u in range(size):
        total = np.uint64(0)
        for e in range(starts[u], starts[u + 1]):
            total += hashes[targets[e]]
        refined[u] = total
    if see_predecessors:
        for u in range(size):
            value = mix(labels[u] + _IN)
            for e in range(starts[u], starts[u + 1]):
                in_sums[targets[e]] += value
    # All three are pseudo-random words, so one mixing of a sum with odd factors keeps them apart.
    for v in range(size):
        refined[v] = mix(labels[v] * _SELF_FACTOR + refined[v] * _OUT_FACTOR + in_sums[v])
