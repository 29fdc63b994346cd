"""The isomorphism hash of NAS-Bench-101 (Ying et al. 2019), for whole batches of cells.

A vertex starts with the MD5 of its out-degree, in-degree and label. In each of V rounds it becomes the MD5 of the
sorted hashes of its predecessors, those of its successors, and its own. The graph's hash is the MD5 of the sorted list
of its vertices' hashes. All texts are those that the benchmark hashes, so the results are its own keys.
"""

import hashlib

import numpy as np
from numba import njit

from nasgem_core.benchmarks.md5 import BLOCK, TRAILER, md5_hex
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.refinement import graph_size

_DIGITS = 32
_QUOTED = 4
"""Characters that the list of hashes spends on each beside its digits: two quotes, a comma and a blank."""


def graph_hashes(cells: CellBatch, labels: np.ndarray) -> np.ndarray:
    """Return the hash of each cell, [B, 16] uint8.

    Args:
        cells: B cells.
        labels: the integer by which the benchmark knows each code, [codes]; entry 0, padding, is not read.
    """
    width = cells.width
    first = np.zeros((width, width, len(labels), _DIGITS), dtype=np.uint8)
    for out_degree in range(width):
        for in_degree in range(width):
            for code, label in enumerate(labels.tolist()):
                text = hashlib.md5(str((out_degree, in_degree, label)).encode()).hexdigest()
                first[out_degree, in_degree, code] = np.frombuffer(text.encode(), dtype=np.uint8)
    found = np.zeros((len(cells), _DIGITS), dtype=np.uint8)
    _hash_graphs(cells.adjacency, cells.codes, first, found)
    return np.frombuffer(bytes.fromhex(found.tobytes().decode()), dtype=np.uint8).reshape(-1, _DIGITS // 2)


@njit(cache=True)
def _precedes(a: np.ndarray, b: np.ndarray) -> bool:
    for i in range(_DIGITS):
        if a[i] != b[i]:
            return a[i] < b[i]
    return False


@njit(cache=True)
def _sort(hashes: np.ndarray, size: int, order: np.ndarray) -> None:
    for i in range(size):
        j = i
        while j > 0 and _precedes(hashes[i], hashes[order[j - 1]]):
            order[j] = order[j - 1]
            j -= 1
        order[j] = i


@njit(cache=True)
def _append(message: np.ndarray, place: int, digits: np.ndarray) -> int:
    for i in range(_DIGITS):
        message[place + i] = digits[i]
    return place + _DIGITS


@njit(cache=True)
def _hash_graphs(adjacency: np.ndarray, codes: np.ndarray, first: np.ndarray, found: np.ndarray) -> None:
    batch, width = codes.shape
    message = np.empty(width * (_DIGITS + _QUOTED) + BLOCK + TRAILER, dtype=np.uint8)
    words, state = np.empty(16, dtype=np.uint32), np.empty(4, dtype=np.uint32)
    hashes, renewed = np.empty((width, _DIGITS), dtype=np.uint8), np.empty((width, _DIGITS), dtype=np.uint8)
    order = np.empty(width, dtype=np.int64)
    for b in range(batch):
        size = graph_size(codes[b])
        for v in range(size):
            into = 0
            out = 0
            for w in range(size):
                into += adjacency[b, w, v]
                out += adjacency[b, v, w]
            hashes[v] = first[out, into, codes[b, v]]
        for _ in range(size):
            _sort(hashes, size, order)
            for v in range(size):
                place = 0
                for i in range(size):
                    if adjacency[b, order[i], v]:
                        place = _append(message, place, hashes[order[i]])
                message[place] = ord("|")
                place += 1
                for i in range(size):
                    if adjacency[b, v, order[i]]:
                        place = _append(message, place, hashes[order[i]])
                message[place] = ord("|")
                place = _append(message, place + 1, hashes[v])
                md5_hex(message, place, words, state, renewed[v])
            hashes, renewed = renewed, hashes
        _sort(hashes, size, order)
        place = 0
        for i in range(size):
            message[place] = ord("[") if i == 0 else ord(" ")
            message[place + 1] = ord("'")
            place = _append(message, place + 2, hashes[order[i]])
            message[place] = ord("'")
            message[place + 1] = ord(",") if i + 1 < size else ord("]")
            place += 2
        md5_hex(message, place, words, state, found[b])
