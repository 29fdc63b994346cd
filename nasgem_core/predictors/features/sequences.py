"""Paths by the sequence of their operations, and the operations met at each step of a walk.

`sequence` counts paths of up to three operations by their sequence, log(1 + count), as in BANANAS (White et al. 2021).
`suffix` and `prefix` are the chances that a walk from the output by channels goes along a path with these last or first
three operations. Where there are more than five operations, all three take two in place of three. `position` is the
operations' share at each step of that walk, and of the even walk from the input.
"""

from itertools import accumulate

import numpy as np
from numba import njit

from nasgem_core.predictors.features.walks import BY_WIDTH, FORWARD, channel_widths, step_chances
from nasgem_core.predictors.notation import MOST_ENUMERATED

_STEPS = 5


def _longest(kinds: int) -> int:
    return 3 if kinds <= MOST_ENUMERATED else 2


def _blocks(kinds: int) -> list[int]:
    """Return where the sequences of 0, 1, ... operations begin, and where the last of them end."""
    return list(accumulate((kinds**length for length in range(_longest(kinds) + 1)), initial=0))


def sequence_names(kinds: int) -> list[str]:
    """Return the columns' names, `group:detail`, for K = `kinds` operations.

    A sequence is numbered after all shorter ones, by its operations as the digits of a number to the base K.
    """
    names = [f"position:{side}{k}{o}" for side in "bf" for k in range(_STEPS) for o in range(kinds)]
    return names + [f"{group}:{i}" for group in ("sequence", "suffix", "prefix") for i in range(_blocks(kinds)[-1])]


@njit(cache=True)
def _add(target: np.ndarray, origin: np.ndarray, share: float) -> None:
    """Add a share of all sequences; a loop, as expressions of whole arrays take seconds to compile."""
    for i in range(len(target)):
        target[i] += origin[i] * share


@njit(cache=True)
def _append(
    target: np.ndarray, origin: np.ndarray, operation: int, share: float, block: np.ndarray, keep_long: bool
) -> None:
    """Append `operation` to all sequences but the longest; these are kept as they are, or left out."""
    kinds, longest = block[2] - block[1], len(block) - 2
    for k in range(longest):
        for i in range(kinds**k):
            target[block[k + 1] + i * kinds + operation] += origin[block[k] + i] * share
    if keep_long:
        for i in range(block[longest], block[longest + 1]):
            target[i] += origin[i] * share


def write_sequences(
    adjacency: np.ndarray, operations: np.ndarray, sizes: np.ndarray, costs: np.ndarray, divided: bool, out: np.ndarray
) -> None:
    """Write one row a cell; see `nasgem_core.predictors.features.cell_features.cell_features` for the arguments."""
    block = np.array(_blocks(len(costs)), dtype=np.int64)
    _write_sequences(adjacency, operations, sizes, len(costs), divided, block, out)


@njit(cache=True)
def _write_sequences(
    adjacency: np.ndarray,
    operations: np.ndarray,
    sizes: np.ndarray,
    kinds: int,
    divided: bool,
    block: np.ndarray,
    out: np.ndarray,
) -> None:
    room, sequences = operations.shape[1], block[-1]
    width = np.empty(room)
    back, on = np.empty((room, room)), np.empty((room, room))
    met_back, met_on = np.empty((room, _STEPS + 1)), np.empty((room, _STEPS + 1))
    paths, suffix, prefix = np.empty((room, sequences)), np.empty((room, sequences)), np.empty((room, sequences))
    for b in range(len(sizes)):
        n = sizes[b]
        last = n - 1
        a, code, row = adjacency[b], operations[b], out[b]
        channel_widths(a, n, divided, width)
        step_chances(a, n, BY_WIDTH, width, back)
        step_chances(a, n, FORWARD, width, on)
        for table in (met_back, met_on, paths, suffix, prefix):
            table[:n] = 0.0
        met_back[last, 0], met_on[0, 0] = 1.0, 1.0
        paths[0, 0], suffix[last, 0], prefix[0, 0] = 1.0, 1.0, 1.0
        for v in range(last, 0, -1):
            for u in range(v):
                if a[u, v]:
                    for k in range(_STEPS):
                        met_back[u, k + 1] += met_back[v, k] * back[u, v]
                    if u == 0:
                        _add(suffix[0], suffix[v], back[u, v])
                    else:
                        _append(suffix[u], suffix[v], code[u], back[u, v], block, True)
        for v in range(1, n):
            for u in range(v):
                if a[u, v]:
                    for k in range(_STEPS):
                        met_on[v, k + 1] += met_on[u, k] * on[u, v]
                    if v == last:
                        _add(prefix[v], prefix[u], back[u, v])
                        _add(paths[v], paths[u], 1.0)
                    else:
                        _append(prefix[v], prefix[u], code[v], back[u, v], block, True)
                        _append(paths[v], paths[u], code[v], 1.0, block, False)
        for v in range(1, last):
            for k in range(_STEPS):
                row[k * kinds + code[v]] += met_back[v, k + 1]
                row[(_STEPS + k) * kinds + code[v]] += met_on[v, k + 1]
        c = 2 * _STEPS * kinds
        for i in range(sequences):
            row[c + i] = np.log1p(paths[last, i])
            row[c + sequences + i] = suffix[0, i]
            row[c + 2 * sequences + i] = prefix[last, i]
