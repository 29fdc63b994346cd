"""Counts: vertices by operation, their degrees, and edges by the operations at both ends."""

import numpy as np
from numba import njit


def count_names(kinds: int) -> list[str]:
    """Return the columns' names, `group:detail`, for K = `kinds` operations."""
    names = [f"count:op{o}" for o in range(kinds)]
    names += ["count:vertices", "count:edges", "count:in_out", "count:output_inputs", "count:input_outputs"]
    for o in range(kinds):
        names += [f"degree:{what}{o}" for what in ("in_sum", "out_sum", "in_max", "out_max", "from_input", "to_output")]
    names += ["degree:in_max", "degree:out_max", "degree:in_square", "degree:out_square"]
    return names + [f"edge:{source}-{target}" for source in range(kinds + 1) for target in range(kinds + 1)]


@njit(cache=True)
def write_counts(
    adjacency: np.ndarray, operations: np.ndarray, sizes: np.ndarray, costs: np.ndarray, divided: bool, out: np.ndarray
) -> None:
    """Write one row a cell; see `nasgem_core.predictors.features.cell_features.cell_features` for the arguments."""
    kinds = len(costs)
    for b in range(len(sizes)):
        n = sizes[b]
        last = n - 1
        a, code, row = adjacency[b], operations[b], out[b]
        for v in range(1, last):
            row[code[v]] += 1
        c = kinds
        row[c] = n
        row[c + 2] = a[0, last]
        for v in range(1, last):
            row[c + 3] += a[v, last]
            row[c + 4] += a[0, v]
        degrees = c + 5
        extremes = degrees + 6 * kinds
        edges = extremes + 4
        for v in range(n):
            before, after = 0, 0
            for u in range(n):
                before += a[u, v]
                after += a[v, u]
            row[c + 1] += after
            row[extremes] = max(row[extremes], before)
            row[extremes + 1] = max(row[extremes + 1], after)
            row[extremes + 2] += before * before
            row[extremes + 3] += after * after
            if 0 < v < last:
                o = degrees + 6 * code[v]
                row[o] += before
                row[o + 1] += after
                row[o + 2] = max(row[o + 2], before)
                row[o + 3] = max(row[o + 3], after)
                row[o + 4] += a[0, v]
                row[o + 5] += a[v, last]
        for u in range(last):
            for v in range(u + 1, n):
                if a[u, v]:
                    source = 0 if u == 0 else code[u] + 1
                    target = kinds if v == last else code[v]
                    row[edges + source * (kinds + 1) + target] += 1
