"""Figure 6 of the paper: the similarity loss during training for numbers of vertices n and dimensions d."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from matplotlib.figure import Figure

from nasgem_core.figures.style import (
    INK,
    MARKERS,
    SURFACE,
    add_legend_below,
    counted,
    describe,
    new_figure,
    say_empty,
    set_log_scale,
)

_MAX_COLUMNS = 3


def draw_ablation(
    steps: np.ndarray,
    losses: Mapping[tuple[int, int], np.ndarray],
    *,
    constant: Mapping[tuple[int, int], float] | None = None,
    panel: Literal["dimension", "vertices"] = "dimension",
    pairs: int | None = None,
) -> Figure:
    """Draw held-out similarity losses (Eq. 3): one panel per dimension d with a line per n, or the reverse.

    Args:
        steps: [T] optimiser steps at which losses were measured.
        losses: (n, d) to [T] mean squared errors; values that are not finite leave a gap.
        constant: (n, d) to the loss of guessing the mean similarity, drawn dotted: a loss that is not below it shows
            that nothing was learned.
        panel: the quantity that is fixed in each panel.
        pairs: number of held-out pairs, for the title.
    """
    fixed, varied = (1, 0) if panel == "dimension" else (0, 1)
    names = ("vertices n", "dimension d")
    panels = sorted({key[fixed] for key in losses})
    lines = sorted({key[varied] for key in losses})
    columns = min(max(1, len(panels)), _MAX_COLUMNS)
    rows = max(1, -(-len(panels) // columns))
    title = "Held-out similarity loss during training"
    if pairs is not None:
        title += f", {counted(pairs, 'pair')} per curve"
    figure, axes = new_figure(
        title, width=max(5.6, 0.8 + 3.7 * columns), height=1.3 + 3.1 * rows, rows=rows, columns=columns, share_y=True
    )
    if not any(np.isfinite(curve).any() for curve in losses.values()):
        say_empty(axes[0, 0], "no curve was measured")
        return figure
    shades = SURFACE(np.linspace(0.05, 0.85, len(lines)))
    for ax in axes.flat[len(panels) :]:
        ax.set_visible(False)
    for ax, value in zip(axes.flat, panels, strict=False):
        describe(ax, f"{names[fixed]} = {value}", "optimiser step", "")
        for i, other in enumerate(lines):
            key = (other, value) if fixed else (value, other)
            curve = losses.get(key)
            if curve is not None:
                curve = np.where(np.asarray(curve) > 0, curve, np.nan)
                spacing = max(1, len(steps) // 6)
                look = {"marker": MARKERS[i % len(MARKERS)], "markersize": 4.5, "markevery": (i % spacing, spacing)}
                ax.plot(steps, curve, color=shades[i], linewidth=1.8, label=str(other), **look)
            if constant is not None and constant.get(key, 0) > 0:
                ax.plot(steps, np.full(len(steps), constant[key]), color=shades[i], linewidth=1.3, linestyle=":")
    set_log_scale(axes[0, 0], "y")
    fullest = max(axes.flat, key=lambda ax: len(ax.lines))
    remark = "" if constant is None else " (dotted: a constant guess)"
    add_legend_below(figure, fullest, columns=len(lines), title=names[varied] + remark)
    for ax in axes[:, 0]:
        ax.set_ylabel("mean squared error of similarity (log scale)", fontsize=9.5, color=INK)
    return figure
