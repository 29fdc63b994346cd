"""Where operations lie: how often walks and paths meet them, bottlenecks, and their depth from both ends."""

import numpy as np
from numba import njit

from nasgem_core.predictors.features.walks import BACKWARD, BY_WIDTH, FORWARD, channel_widths, step_chances


def visit_names(kinds: int) -> list[str]:
    """Return the columns' names, `group:detail`, for K = `kinds` operations."""
    names = []
    for o in range(kinds):
        names += [f"walk:{what}{o}" for what in ("mean", "forward", "width", "through_sum", "through_max", "cut")]
    names += ["walk:length", "walk:length_forward", "walk:length_square", "walk:length_width"]
    for o in range(kinds):
        names += [f"depth:{what}{o}" for what in ("top", "bottom", "mean", "up_top", "up_bottom", "up_mean")]
    return names


@njit(cache=True)
def _visits(adjacency: np.ndarray, size: int, walk: int, share: np.ndarray, reach: np.ndarray) -> None:
    """Write the chance that a walk meets each vertex."""
    reach[:size] = 0.0
    if walk == FORWARD:
        reach[0] = 1.0
        for u in range(size):
            for v in range(u + 1, size):
                reach[v] += reach[u] * share[u, v]
    else:
        reach[size - 1] = 1.0
        for v in range(size - 1, 0, -1):
            for u in range(v):
                reach[u] += reach[v] * share[u, v]


@njit(cache=True)
def write_visits(
    adjacency: np.ndarray, operations: np.ndarray, sizes: np.ndarray, costs: np.ndarray, divided: bool, out: np.ndarray
) -> None:
    """Write one row a cell; see `nasgem_core.predictors.features.cell_features.cell_features` for the arguments.

    A bottleneck ("cut") is a vertex on all paths. The depth of an operation that does not occur is -1.
    """
    room, kinds = operations.shape[1], len(costs)
    width, length, square = np.empty(room), np.empty(room), np.empty(room)
    share, reach = np.empty((3, room, room)), np.empty((3, room))
    paths_in, paths_out, up, down = np.empty(room), np.empty(room), np.empty(room), np.empty(room)
    count = np.empty(kinds)
    for b in range(len(sizes)):
        n = sizes[b]
        last = n - 1
        a, code, row = adjacency[b], operations[b], out[b]
        channel_widths(a, n, divided, width)
        for walk in (BACKWARD, FORWARD, BY_WIDTH):
            step_chances(a, n, walk, width, share[walk])
            _visits(a, n, walk, share[walk], reach[walk])
        paths_in[:n], paths_out[:n], up[:n], down[:n], count[:] = 0.0, 0.0, 0.0, 0.0, 0.0
        paths_in[0], paths_out[last] = 1.0, 1.0
        for v in range(1, n):
            for u in range(v):
                if a[u, v]:
                    paths_in[v] += paths_in[u]
                    up[v] = max(up[v], up[u] + 1)
        for u in range(last - 1, -1, -1):
            for v in range(u + 1, n):
                if a[u, v]:
                    paths_out[u] += paths_out[v]
                    down[u] = max(down[u], down[v] + 1)
        c = 6 * kinds
        for v in range(1, last):
            o = 6 * code[v]
            for walk in (BACKWARD, FORWARD, BY_WIDTH):
                row[o + walk] += reach[walk, v]
            through = paths_in[v] * paths_out[v] / max(paths_in[last], 1.0)
            row[o + 3] += through
            row[o + 4] = max(row[o + 4], through)
            row[o + 5] += through > 0.999
            row[c] += reach[BACKWARD, v]
            row[c + 1] += reach[FORWARD, v]
            row[c + 3] += reach[BY_WIDTH, v]
            count[code[v]] += 1
        length[0], square[0] = 0.0, 0.0
        for v in range(1, n):
            length[v], square[v] = 0.0, 0.0
            for u in range(v):
                length[v] += share[BACKWARD, u, v] * (length[u] + 1)
                square[v] += share[BACKWARD, u, v] * (square[u] + 2 * length[u] + 1)
        row[c + 2] = square[last] - length[last] ** 2
        c += 4
        row[c : c + 6 * kinds] = -1.0
        for v in range(1, last):
            o = c + 6 * code[v]
            if row[o] < 0:
                row[o], row[o + 1], row[o + 2], row[o + 3], row[o + 4], row[o + 5] = (
                    up[v],
                    up[v],
                    0,
                    down[v],
                    down[v],
                    0,
                )
            row[o] = min(row[o], up[v])
            row[o + 1] = max(row[o + 1], up[v])
            row[o + 2] += up[v] / count[code[v]]
            row[o + 3] = min(row[o + 3], down[v])
            row[o + 4] = max(row[o + 4], down[v])
            row[o + 5] += down[v] / count[code[v]]
