"""Searches of a table side by side: what the pick lacks to the best cell, against queries."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from nasgem_core.figures.style import (
    PALETTE,
    add_legend_below,
    counted,
    describe,
    new_figure,
    say_empty,
    set_log_scale,
)
from nasgem_core.intervals import half_width


def draw_regret(title: str, regrets: Mapping[str, np.ndarray]) -> Figure:
    """Draw the mean regret of each search with Student's interval of it, the lowest at the end first in the legend.

    Args:
        title: headline.
        regrets: by search, [runs, queries]: best true accuracy of the table less that of the pick, a fraction.
    """
    from scipy.stats import sem

    figure, axes = new_figure(title, width=7.4, height=5.2)
    ax = axes[0, 0]
    runs = max((len(values) for values in regrets.values()), default=0)
    words = f"means of {counted(runs, 'search', 'searches')}, bands: 95 % intervals"
    describe(ax, words, "queries", "regret, percentage points")
    if not runs:
        say_empty(ax, "nothing was searched")
        return figure
    ranked = sorted(regrets, key=lambda name: float(regrets[name][:, -1].mean()))
    for place, name in enumerate(ranked):
        values = 100 * regrets[name]
        queries, mean = np.arange(1, values.shape[1] + 1), values.mean(0)
        half = half_width(1.0, len(values) - 1) * sem(values) if len(values) > 1 else np.zeros_like(mean)
        ax.plot(queries, mean, color=PALETTE[place % len(PALETTE)], linewidth=2, label=name.replace("_", " "))
        # On a logarithmic axis a band cannot reach 0.
        low = np.maximum(mean - half, mean.min() * 0.5)
        ax.fill_between(queries, low, mean + half, color=PALETTE[place % len(PALETTE)], alpha=0.18, linewidth=0)
    if all((100 * values.mean(0) > 0).all() for values in regrets.values()):
        set_log_scale(ax, "y")
    add_legend_below(figure, ax, columns=4)
    return figure
