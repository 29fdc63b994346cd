"""Random walks between a cell's input and output, and the channels that they go by; compiled, one cell at a time."""

import numpy as np
from numba import njit

BACKWARD, FORWARD, BY_WIDTH = 0, 1, 2
"""A walk goes back evenly over predecessors, on evenly over successors, or back by the predecessors' channels."""


@njit(cache=True)
def channel_widths(adjacency: np.ndarray, size: int, divided: bool, width: np.ndarray) -> None:
    """Write each vertex's channels as a share of the cell's output.

    Where the output is `divided`, its inputs have equal shares, and a vertex before them as many as the widest that it
    feeds. Else every vertex has all channels.
    """
    width[:size] = 1.0
    if not divided:
        return
    last = size - 1
    inputs = 0
    for v in range(1, last):
        inputs += adjacency[v, last]
    for v in range(last - 1, 0, -1):
        width[v] = 1.0 / inputs if adjacency[v, last] else 0.0
        for w in range(v + 1, last):
            if adjacency[v, w] and width[w] > width[v]:
                width[v] = width[w]


@njit(cache=True)
def step_chances(adjacency: np.ndarray, size: int, walk: int, width: np.ndarray, share: np.ndarray) -> None:
    """Write share[u, v], the chance that the walk takes the edge u -> v when it is at the end where it comes from."""
    for v in range(size):
        for u in range(size):
            share[u, v] = 0.0
    for v in range(size):
        total = 0.0
        for u in range(size):
            if walk == FORWARD:
                total += adjacency[v, u]
            elif adjacency[u, v]:
                total += width[u] if walk == BY_WIDTH else 1.0
        if total > 0:
            for u in range(size):
                if walk == FORWARD:
                    share[v, u] = adjacency[v, u] / total
                elif adjacency[u, v]:
                    share[u, v] = (width[u] if walk == BY_WIDTH else 1.0) / total
