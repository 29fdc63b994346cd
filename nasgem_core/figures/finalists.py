"""Successive halving: the accuracy of each finalist after each rung."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

from nasgem_core.figures.style import GUIDED, MUTED, PLAIN, add_legend_below, counted, describe, new_figure


def draw_finalists(rungs: Sequence[int], accuracy: np.ndarray, marked: Mapping[int, str]) -> Figure:
    """Draw a line for each finalist over the rungs that it took part in.

    Args:
        rungs: epochs trained by the end of each rung, [R].
        accuracy: top-1 as fractions, [K, R], NaN where a finalist did not take part.
        marked: words for the finalists that are drawn in colour, by their rows.
    """
    figure, axes = new_figure("Finalists on your images", width=7.4, height=4.9)
    ax = axes[0, 0]
    words = f"{counted(len(accuracy), 'cell')}; a line ends where its cell was left out"
    describe(ax, words, "epochs trained", "top-1 on held-out training images (%)")
    for row in set(range(len(accuracy))) - marked.keys():
        ax.plot(rungs, 100 * accuracy[row], color=MUTED, marker="o", markersize=3, linewidth=1, alpha=0.55)
    for (row, label), colour in zip(marked.items(), (GUIDED, PLAIN, "#009e73"), strict=False):
        ax.plot(rungs, 100 * accuracy[row], color=colour, marker="o", markersize=5, linewidth=2.2, label=label)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_locator(FixedLocator(list(rungs)))
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.xaxis.set_minor_locator(NullLocator())
    if marked:
        add_legend_below(figure, ax, columns=1)
    return figure
