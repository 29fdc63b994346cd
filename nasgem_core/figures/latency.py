"""Measured latency against multiply-adds and against accuracy, in two panels."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from nasgem_core.errors import DataError
from nasgem_core.figures.style import (
    MARKERS,
    MUTED,
    PALETTE,
    add_legend_below,
    counted,
    describe,
    new_figure,
    say_empty,
    set_log_scale,
)
from nasgem_core.pareto_front import pareto_front

_NAMED = 12
"""The largest number of networks that are drawn with their names."""


def draw_latency(
    title: str,
    names: Sequence[str],
    groups: Sequence[str],
    *,
    median_ms: np.ndarray,
    p95_ms: np.ndarray,
    macs: np.ndarray,
    accuracy: np.ndarray,
) -> Figure:
    """Draw the median latency of N networks, with a bar up to the 95th percentile.

    Args:
        title: headline, such as the device.
        names: names of the networks, which are drawn if they are few.
        groups: N names of the kind of each network and the data of its accuracy: each group has its own Pareto front
            and colour, in the order of first appearance.
        median_ms: [N] milliseconds.
        p95_ms: [N] milliseconds.
        macs: [N] multiply-adds (drawn in millions).
        accuracy: [N] fractions, NaN if unknown.

    Raises:
        DataError: the lengths differ.
    """
    median, p95, millions, accuracy = (np.asarray(v, dtype=float) for v in (median_ms, p95_ms, macs, accuracy))
    millions = millions / 1e6
    if len({len(names), len(groups), len(median), len(p95), len(millions), len(accuracy)}) != 1:
        raise DataError("names, groups, latencies, costs and accuracies: give one of each per network")
    figure, axes = new_figure(title, width=11.0, height=5.2, columns=2)
    left, right = axes[0]
    describe(left, counted(len(names), "network"), "MACs (millions, log scale)", "latency (ms, log scale)")
    known = np.isfinite(accuracy)
    words = f"{counted(int(known.sum()), 'network')} with known accuracy, lines: Pareto fronts"
    describe(right, words, "latency (ms, log scale)", "accuracy (fraction)")
    if not len(names):
        say_empty(left, "nothing was measured")
    kinds = list(dict.fromkeys(groups))
    for i, kind in enumerate(kinds):
        chosen = np.array([group == kind for group in groups])
        look: dict[str, Any] = {
            "color": PALETTE[i % len(PALETTE)],
            "marker": MARKERS[i % len(MARKERS)],
            "linestyle": "none",
        }
        look |= {"markersize": 6, "markeredgecolor": "white", "markeredgewidth": 0.6, "elinewidth": 1.0}
        above = np.maximum(p95 - median, 0)[chosen]
        left.errorbar(millions[chosen], median[chosen], yerr=(0 * above, above), label=kind, **look)
        chosen &= known
        if chosen.any():
            above = np.maximum(p95 - median, 0)[chosen]
            right.errorbar(median[chosen], accuracy[chosen], xerr=(0 * above, above), **look)
            front = pareto_front(np.where(chosen, median, np.nan), accuracy)
            right.step(median[front], accuracy[front], where="post", color=look["color"], linewidth=1.4, zorder=1)
    if known.any():
        set_log_scale(right, "x")
    else:
        say_empty(right, "no accuracy is known")
    if len(names):
        set_log_scale(left, "x")
        set_log_scale(left, "y")
    add_legend_below(figure, left, columns=4)
    if len(names) <= _NAMED:
        figure.draw_without_rendering()  # which fixes the position of each network
        _write_names(left, names, millions, median)
        _write_names(right, [name if k else "" for name, k in zip(names, known, strict=True)], median, accuracy)
    return figure


def _write_names(ax: Axes, names: Sequence[str], x: np.ndarray, y: np.ndarray) -> None:
    """Write each name next to its network, without covering another network or name if there is room."""
    named = [(name, at) for name, at in zip(names, zip(x, y, strict=True), strict=True) if name]
    places = [ax.transData.transform(at) for _, at in named]
    taken = [Bbox.from_extents(*(place - 4), *(place + 4)) for place in places]
    for name, at in named:
        text = ax.annotate(
            name, at, xytext=(5, 4), textcoords="offset points", fontsize=7.5, color=MUTED, parse_math=False
        )
        for rise, side in itertools.product((4, -4, 13, -13, 22, -22, 31, -31), (1, -1)):
            text.set(position=(5 * side, rise), ha="left" if side > 0 else "right", va="bottom" if rise > 0 else "top")
            found = text.get_window_extent()
            if ax.bbox.x0 <= found.x0 and found.x1 <= ax.bbox.x1 and not any(map(found.overlaps, taken)):
                break
        taken.append(found)
