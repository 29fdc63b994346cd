"""Paths through subsets of the operations, and how many operations of a kind lie on a path.

Of up to five operations all subsets count. Of more, whose subsets are too many, those of one operation, of all but one,
and of the most expensive ones.

Shortest and longest path through a subset and the number of such paths follow GRAF (Kadlecova et al. 2024). The walk's
chance to stay within the subset weighs paths by how much of the output they make up.
"""

import numpy as np
from numba import njit

from nasgem_core.predictors.features.walks import BACKWARD, FORWARD, channel_widths, step_chances
from nasgem_core.predictors.notation import MOST_ENUMERATED

_FAR = 9.0
_LAW = 6


def path_subsets(kinds: int) -> list[int]:
    """Return the subsets of K = `kinds` operations as numbers of K bits, ascending; at most 3 K where K is above 5."""
    everything = 2**kinds - 1
    if kinds <= MOST_ENUMERATED:
        return list(range(1, everything + 1))
    one = {1 << o for o in range(kinds)}
    return sorted(one | {everything ^ bit for bit in one} | {2**most - 1 for most in range(1, kinds + 1)})


def subset_names(kinds: int) -> list[str]:
    """Return the columns' names, `group:detail`, for K = `kinds` operations; a subset is a number of K bits."""
    names = []
    for subset in path_subsets(kinds):
        for what in ("shortest", "longest", "paths", "mass", "mass_forward", "fewest", "most"):
            names.append(f"subset:{what}:{subset}")
    for law in ("walk", "share"):
        names += [f"law:{law}{most}:{k}" for most in range(kinds) for k in range(_LAW)]
    return names


def write_subsets(
    adjacency: np.ndarray, operations: np.ndarray, sizes: np.ndarray, costs: np.ndarray, divided: bool, out: np.ndarray
) -> None:
    """Write one row a cell; see `nasgem_core.predictors.features.cell_features.cell_features` for the arguments.

    No path at all is written as a shortest one of length 9 and a longest one of length -1.
    """
    subsets = np.array(path_subsets(len(costs)), dtype=np.int64)
    _write_subsets(adjacency, operations, sizes, costs, divided, subsets, out)


@njit(cache=True)
def _write_subsets(
    adjacency: np.ndarray,
    operations: np.ndarray,
    sizes: np.ndarray,
    costs: np.ndarray,
    divided: bool,
    subsets: np.ndarray,
    out: np.ndarray,
) -> None:
    room, kinds = operations.shape[1], len(costs)
    width = np.empty(room)
    back, on = np.empty((room, room)), np.empty((room, room))
    low, high, number, few, many = np.empty(room), np.empty(room), np.empty(room), np.empty(room), np.empty(room)
    mass, mass_forward = np.empty(room), np.empty(room)
    law, law_paths = np.empty((room, _LAW)), np.empty((room, _LAW))
    for b in range(len(sizes)):
        n = sizes[b]
        last = n - 1
        a, code, row = adjacency[b], operations[b], out[b]
        channel_widths(a, n, divided, width)
        step_chances(a, n, BACKWARD, width, back)
        step_chances(a, n, FORWARD, width, on)
        c = 0
        for subset in subsets:
            low[0], high[0], number[0], mass[0], mass_forward[0], few[0], many[0] = 0, 0, 1, 1, 1, 0, 0
            for v in range(1, n):
                inside = v == last or (subset >> code[v]) & 1
                low[v], high[v], number[v], mass[v], mass_forward[v] = _FAR, -1, 0, 0, 0
                few[v], many[v] = _FAR, -1
                for u in range(v):
                    if not a[u, v]:
                        continue
                    few[v] = min(few[v], few[u])
                    many[v] = max(many[v], many[u])
                    if inside and number[u] > 0:
                        low[v] = min(low[v], low[u] + 1)
                        high[v] = max(high[v], high[u] + 1)
                        number[v] += number[u]
                        mass[v] += mass[u] * back[u, v]
                        mass_forward[v] += mass_forward[u] * on[u, v]
                if v != last and inside:
                    few[v] += 1
                    many[v] += 1
            row[c], row[c + 1], row[c + 2] = low[last], high[last], np.log1p(number[last])
            row[c + 3], row[c + 4], row[c + 5], row[c + 6] = mass[last], mass_forward[last], few[last], many[last]
            c += 7
        # The law of how many of the most expensive operations a walk from the output, or a path drawn evenly, meets.
        for most in range(kinds):
            law[:n] = 0.0
            law_paths[:n] = 0.0
            law[0, 0] = 1.0
            law_paths[0, 0] = 1.0
            for v in range(1, n):
                step = 1 if v != last and code[v] <= most else 0
                for u in range(v):
                    if a[u, v]:
                        for k in range(_LAW - step):
                            law[v, k + step] += law[u, k] * back[u, v]
                            law_paths[v, k + step] += law_paths[u, k]
            total = max(law_paths[last].sum(), 1e-9)
            for k in range(_LAW):
                row[c + most * _LAW + k] = law[last, k]
                row[c + (kinds + most) * _LAW + k] = law_paths[last, k] / total
