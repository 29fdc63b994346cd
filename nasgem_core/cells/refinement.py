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
_SELF = np.uint64(0xD6E8FEB86659FD93)
_ONE, _S58 = np.uint64(1), np.uint64(58)
_DEBRUIJN = np.uint64(0x03F79D71B4CB0A89)


def _bit_positions() -> np.ndarray:
    table = np.zeros(64, dtype=np.int64)
    for position in range(64):
        table[(((1 << position) * int(_DEBRUIJN)) & (2**64 - 1)) >> 58] = position
    return table


_BIT_POSITION = _bit_positions()


def code_labels(operation_names: Sequence[str]) -> np.ndarray:
    """Return the first label of each code: a hash of the operation's name, so it is the same in every batch."""
    labels = np.zeros(FIRST_OPERATION_CODE + len(operation_names), dtype=np.uint64)
    for code, name in [(INPUT_CODE, INPUT), *enumerate(operation_names, start=FIRST_OPERATION_CODE)]:
        labels[code] = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
    return labels


def pack_rows(adjacency: np.ndarray) -> np.ndarray:
    """Pack [B, V, V] of 0/1 into [B, V, ceil(V / 64)] 64-bit words; bit v of row u is the edge u -> v."""
    packed = np.packbits(adjacency, axis=-1, bitorder="little")
    missing = -packed.shape[-1] % 8
    if missing:
        packed = np.pad(packed, ((0, 0), (0, 0), (0, missing)))
    return packed.view(np.uint64)


@njit(cache=True)
def list_edges(rows: np.ndarray, size: int, sources: np.ndarray, targets: np.ndarray) -> int:
    """Write the edges of one packed graph to two arrays; return their number."""
    count = 0
    for u in range(size):
        for block in range(u // 64, rows.shape[1]):
            word = rows[u, block]
            while word:
                lowest = word & (~word + _ONE)
                sources[count] = u
                targets[count] = block * 64 + _BIT_POSITION[(lowest * _DEBRUIJN) >> _S58]
                count += 1
                word ^= lowest
    return count


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
    num_edges: int,
    see_predecessors: bool,
    refined: np.ndarray,
    in_sums: np.ndarray,
    out_hashes: np.ndarray,
) -> None:
    """Write the next labels of one graph to `refined`; the last two arguments are scratch of V words."""
    for v in range(size):
        out_hashes[v] = mix(labels[v] + _OUT)
        refined[v] = 0
        in_sums[v] = 0
    for e in range(num_edges):
        refined[sources[e]] += out_hashes[targets[e]]
    if see_predecessors:
        for v in range(size):
            out_hashes[v] = mix(labels[v] + _IN)
        for e in range(num_edges):
            in_sums[targets[e]] += out_hashes[sources[e]]
    for v in range(size):
        refined[v] = mix(mix(mix(labels[v] + _SELF) + refined[v]) ^ mix(in_sums[v]))
