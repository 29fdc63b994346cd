"""What a cell weighs: channels and weights by operation, and edges by how many channels they carry."""

import numpy as np
from numba import njit

from nasgem_core.predictors.features.walks import channel_widths


def channel_names(kinds: int) -> list[str]:
    """Return the columns' names, `group:detail`, for K = `kinds` operations."""
    names = []
    for o in range(kinds):
        names += [f"width:{what}{o}" for what in ("sum", "max", "min", "out", "in_sum")]
    names += ["width:projected", "width:total", "width:output", "size:weights", "size:log_weights"]
    names += [f"size:weights{o}" for o in range(kinds)] + ["size:projection"]
    names += [f"wedge:{i}" for i in range((kinds + 1) ** 2)]
    return names + [f"wwalk:suffix{o}" for o in range(kinds + 1)] + [f"wwalk:in{o}" for o in range(kinds)]


@njit(cache=True)
def write_channels(
    adjacency: np.ndarray, operations: np.ndarray, sizes: np.ndarray, costs: np.ndarray, divided: bool, out: np.ndarray
) -> None:
    """Write one row a cell; see `nasgem_core.predictors.features.cell_features.cell_features` for the arguments.

    An operation of cost c on a share w of the channels has c w^2 weights, and each edge from the input a projection.
    The weights of an operation without any are written as if its cost were 1.
    """
    room, kinds = operations.shape[1], len(costs)
    width = np.empty(room)
    totals = 5 * kinds
    size_at = totals + 3
    edges = size_at + 3 + kinds
    output = edges + (kinds + 1) ** 2
    for b in range(len(sizes)):
        n = sizes[b]
        last = n - 1
        a, code, row = adjacency[b], operations[b], out[b]
        channel_widths(a, n, divided, width)
        row[output + kinds] = a[0, last]
        for v in range(1, last):
            o = 5 * code[v]
            row[o] += width[v]
            row[o + 1] = max(row[o + 1], width[v])
            row[o + 2] = width[v] if row[o + 2] == 0 else min(row[o + 2], width[v])
            row[o + 3] += width[v] * a[v, last]
            inputs = 0
            for u in range(v):
                row[o + 4] += a[u, v] * width[u]
                inputs += a[u, v]
            row[totals] += a[0, v] * width[v]
            row[totals + 1] += width[v]
            if a[v, last] and row[totals + 2] < width[v]:
                row[totals + 2] = width[v]
            cost = costs[code[v]]
            row[size_at] += cost * width[v] ** 2
            row[size_at + 2 + code[v]] += (cost if cost > 0 else 1.0) * width[v] ** 2
            row[size_at + 2 + kinds] += a[0, v] * width[v]
            row[output + code[v]] += a[v, last] * width[v]
            row[output + kinds + 1 + code[v]] += inputs * width[v]
        row[size_at] += row[size_at + 2 + kinds] + a[0, last]
        row[size_at + 1] = np.log(row[size_at] + 0.01)
        for u in range(last):
            for v in range(u + 1, n):
                if a[u, v]:
                    source = 0 if u == 0 else code[u] + 1
                    target = kinds if v == last else code[v]
                    row[edges + source * (kinds + 1) + target] += width[v] if u == 0 else width[u]
