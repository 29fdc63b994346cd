"""Predictors side by side: a measure against the number of training cells, with intervals."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from nasgem_core.figures.style import (
    MARKERS,
    MUTED,
    PALETTE,
    add_legend_below,
    describe,
    new_figure,
    say_empty,
)

_DASHES: tuple[str | tuple[int, tuple[int, ...]], ...] = ("-", (0, (5, 2)), (0, (1, 2)))
Curve = Mapping[int, tuple[float, float]]
"""From the number of training cells to a mean and the half-width of its interval."""


def draw_predictors(
    title: str, measure: str, curves: Mapping[str, Curve], *, splits: int, ceiling: float | None = None
) -> Figure:
    """Draw one line a predictor, best at the largest size first in the legend.

    Args:
        title: headline.
        measure: what the y axis shows.
        curves: by predictor; what is not finite leaves a gap.
        splits: number of random splits behind each mean, to be stated.
        ceiling: what one noisy label alone would reach, drawn dotted.
    """
    figure, axes = new_figure(title, width=7.4, height=5.6)
    ax = axes[0, 0]
    describe(ax, f"means of {splits} splits, bars: 95 % intervals", "training cells", measure)
    known = {name: curve for name, curve in curves.items() if any(np.isfinite(mean) for mean, _ in curve.values())}
    if not known:
        say_empty(ax, "nothing was measured")
        return figure
    sizes = sorted({size for curve in known.values() for size in curve})
    ranked = sorted(known, key=lambda name: -np.nan_to_num(known[name][max(known[name])][0], nan=-np.inf))
    for place, name in enumerate(ranked):
        # Points of one size stand side by side, so that bars do not hide each other.
        shift = 1 + 0.02 * (place - (len(ranked) - 1) / 2)
        points = sorted(known[name].items())
        x = np.array([size for size, _ in points]) * shift
        mean, half = np.array([value for _, value in points], dtype=float).T
        ax.errorbar(
            x,
            mean,
            yerr=np.nan_to_num(half),
            color=PALETTE[place % len(PALETTE)],
            marker=MARKERS[place % len(MARKERS)],
            linestyle=_DASHES[place // len(PALETTE) % len(_DASHES)],
            markersize=5,
            linewidth=1.7,
            elinewidth=1.2,
            capsize=2.5,
            label=name.replace("_", " "),
        )
    if ceiling is not None and np.isfinite(ceiling):
        ax.axhline(ceiling, color=MUTED, linewidth=1.2, linestyle=":", label="one label, ranked by itself")
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(sizes))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    add_legend_below(figure, ax, columns=3)
    return figure
