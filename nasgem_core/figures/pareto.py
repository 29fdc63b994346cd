"""Accuracy against cost of all trained cells, and what the efficiency score makes of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nasgem_core.errors import DataError
from nasgem_core.figures.style import (
    INK,
    MARKERS,
    MUTED,
    PALETTE,
    add_legend_below,
    counted,
    describe,
    left_out,
    new_figure,
    say_empty,
    set_log_scale,
)
from nasgem_core.pareto_front import pareto_front

_ISO_LINES = 6


def draw_pareto(
    costs: np.ndarray,
    accuracy: np.ndarray,
    origins: Sequence[str],
    penalty: float,
    *,
    words: str = "MACs (millions, log scale)",
    chosen: int | None = None,
    links: Sequence[str] = (),
) -> Figure:
    """Draw accuracy against cost, the Pareto front and lines of equal efficiency score (Eq. 5).

    Args:
        costs: [N] what the score charges each network, in millionths of the unit that is drawn.
        accuracy: [N] proxy accuracies as fractions, NaN where a training failed.
        origins: N words for where a cell came from; colours follow their first appearance.
        penalty: lambda of the score, accuracy - lambda * log10(costs in millions).
        words: label of the axis of costs.
        chosen: index of the chosen cell, if there is one.
        links: N places of a page that the points lead to, such as "#cell-0a4d"; none by default.
    """
    millions, accuracy = np.asarray(costs, dtype=float) / 1e6, np.asarray(accuracy, dtype=float)
    if not len(millions) == len(accuracy) == len(origins):
        raise DataError(
            f"{len(millions)} costs, {len(accuracy)} accuracies and {len(origins)} origins: give one of each per cell"
        )
    valid = np.isfinite(accuracy) & np.isfinite(millions) & (millions > 0)
    figure, axes = new_figure("Accuracy and cost of all trained cells", width=7.4, height=5.4)
    ax = axes[0, 0]
    subtitle = counted(int(valid.sum()), "trained cell") + left_out(int((~valid).sum()))
    describe(ax, subtitle, words, "proxy accuracy (fraction)")
    if not valid.any():
        say_empty(ax, "no trained cell has an accuracy")
        return figure
    labels = np.array(list(origins), dtype=object)
    for i, origin in enumerate(dict.fromkeys(origins)):
        group = valid & (labels == origin)
        points = ax.scatter(
            millions[group],
            accuracy[group],
            s=36,
            marker=MARKERS[i % len(MARKERS)],
            color=PALETTE[i % len(PALETTE)],
            edgecolors="white",
            linewidths=0.6,
            alpha=0.9,
            zorder=3,
            label=f"{origin} ({int(group.sum())})",
        )
        if links:
            points.set_urls([links[place] for place in np.flatnonzero(group).tolist()])
    front = pareto_front(np.where(valid, millions, np.nan), accuracy)
    ax.step(millions[front], accuracy[front], where="post", color=INK, linewidth=1.4, zorder=2, label="Pareto front")
    if chosen is not None and valid[chosen]:
        star = ax.scatter(
            millions[chosen],
            accuracy[chosen],
            marker="*",
            s=320,
            color="#f0e442",
            edgecolors=INK,
            linewidths=1.1,
            zorder=5,
            label="chosen cell",
        )
        if links:
            star.set_urls([links[chosen]])
    _scale(ax, millions[valid], accuracy[valid])
    _draw_equal_scores(ax, penalty)
    add_legend_below(figure, ax, columns=4)
    return figure


def _scale(ax: Axes, millions: np.ndarray, accuracy: np.ndarray) -> None:
    low, high = np.log10(millions.min()), np.log10(millions.max())
    pad = max(0.06 * (high - low), 0.04)
    ax.set_xlim(10 ** (low - pad), 10 ** (high + pad))
    set_log_scale(ax, "x")
    pad = max(0.07 * float(np.ptp(accuracy)), 0.005)
    ax.set_ylim(accuracy.min() - pad, accuracy.max() + pad)


def _draw_equal_scores(ax: Axes, penalty: float) -> None:
    """Draw and name lines of equal score; they are straight as the x axis is logarithmic."""
    x = np.array(ax.get_xlim())
    low, high = ax.get_ylim()
    ends = penalty * np.log10(x)
    step = _round_step((high - low + abs(ends[1] - ends[0])) / _ISO_LINES)
    first = np.ceil((low - ends.max()) / step)
    for score in np.arange(first, np.floor((high - ends.min()) / step) + 1) * step:
        y = score + ends
        ax.plot(x, y, color="#9aa0a6", linewidth=0.8, linestyle=(0, (4, 3)), zorder=1, scalex=False, scaley=False)
        words = f"score {score:.6g}".replace("-", "\N{MINUS SIGN}")
        near = 0.05 * (high - low)
        look: dict[str, Any] = {
            "fontsize": 8,
            "color": MUTED,
            "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        }
        if low < y[0] < high - near:
            ax.annotate(words, (x[0], y[0]), xytext=(4, 3), textcoords="offset points", **look)
        elif y[0] <= low < y[1] - near:
            start = 10 ** ((low - score) / penalty)
            ax.annotate(words, (start, low), xytext=(10, 3), textcoords="offset points", **look)


def _round_step(value: float) -> float:
    """Return the 1, 2 or 5 times a power of ten that is next to a positive value from above."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(f * power for f in (1.0, 2.0, 5.0, 10.0) if f * power >= value))
