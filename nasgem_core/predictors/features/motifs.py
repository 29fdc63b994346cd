"""Small patterns, counted by the operations in them: `chain`, two edges in a row; `merge`, two edges to one vertex.

Of more than five operations only those at the two ends of a chain are told apart, and the two sources of a merge.
"""

import numpy as np
from numba import njit

from nasgem_core.predictors.notation import MOST_ENUMERATED


def motif_names(kinds: int) -> list[str]:
    """Return the columns' names, `group:detail`, for K = `kinds` operations."""
    ends = kinds + 1
    middles, targets = _told_apart(kinds)
    chains, merges = ends * middles * ends, targets * (ends * (ends + 1) // 2)
    return [f"chain:{i}" for i in range(chains)] + [f"merge:{i}" for i in range(merges)]


def _told_apart(kinds: int) -> tuple[int, int]:
    """Return how many vertices in the middle of a chain, and how many targets of a merge, are told apart."""
    return (kinds, kinds + 1) if kinds <= MOST_ENUMERATED else (1, 1)


@njit(cache=True)
def _source(operations: np.ndarray, u: int) -> int:
    return 0 if u == 0 else operations[u] + 1


def write_motifs(
    adjacency: np.ndarray, operations: np.ndarray, sizes: np.ndarray, costs: np.ndarray, divided: bool, out: np.ndarray
) -> None:
    """Write one row a cell; see `nasgem_core.predictors.features.cell_features.cell_features` for the arguments.

    Where edges come from is one of the input and K operations, where they go to one of K operations and the output.
    The two sources of a merge are not ordered.
    """
    _write_motifs(adjacency, operations, sizes, len(costs), _told_apart(len(costs))[0], out)


@njit(cache=True)
def _write_motifs(
    adjacency: np.ndarray, operations: np.ndarray, sizes: np.ndarray, kinds: int, middles: int, out: np.ndarray
) -> None:
    ends = kinds + 1
    merges = ends * middles * ends
    unordered = ends * (ends + 1) // 2
    for b in range(len(sizes)):
        n = sizes[b]
        last = n - 1
        a, code, row = adjacency[b], operations[b], out[b]
        for v in range(1, last):
            for u in range(v):
                if not a[u, v]:
                    continue
                for w in range(v + 1, n):
                    if a[v, w]:
                        target = kinds if w == last else code[w]
                        row[(_source(code, u) * middles + code[v] % middles) * ends + target] += 1
        for v in range(1, n):
            target = (kinds if v == last else code[v]) if middles == kinds else 0
            for u in range(v):
                if not a[u, v]:
                    continue
                for w in range(u + 1, v):
                    if a[w, v]:
                        one, two = _source(code, u), _source(code, w)
                        low, high = min(one, two), max(one, two)
                        pair = low * ends - low * (low - 1) // 2 + high - low
                        row[merges + target * unordered + pair] += 1
