"""Learning curves: accuracy and loss over the epochs, one colour per network and one line per seed."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nasgem_core.figures.style import PALETTE, add_legend_below, counted, describe, new_figure, say_empty

Curve = Sequence[tuple[float, float]]
"""(epoch, value) in order."""


def draw_training(panels: Mapping[str, Mapping[str, Sequence[Curve]]], title: str) -> Figure:
    """Draw one panel per quantity, such as validation accuracy and training loss.

    Args:
        panels: quantity to network to its curves, one per seed.
        title: headline.
    """
    columns = max(1, len(panels))
    figure, axes = new_figure(title, width=0.6 + 4.4 * columns, height=4.2, columns=columns)
    if not any(curve for networks in panels.values() for curves in networks.values() for curve in curves):
        say_empty(axes[0, 0], "nothing was trained")
        return figure
    names = list(dict.fromkeys(name for networks in panels.values() for name in networks))
    for ax, (words, networks) in zip(axes[0], panels.items(), strict=True):
        trainings = max(len(curves) for curves in networks.values())
        describe(ax, counted(trainings, "training of each network", "trainings of each network"), "epoch", words)
        for name, curves in networks.items():
            colour = PALETTE[names.index(name) % len(PALETTE)]
            for number, curve in enumerate(curves):
                points = np.asarray(curve, dtype=float).reshape(-1, 2)
                label = name if number == 0 else None
                mark = "o" if len(points) == 1 else None  # a line through one point is invisible
                # A line of zeros lies on the axis: it is drawn over it.
                style = {"color": colour, "marker": mark, "linewidth": 1.6, "alpha": 0.8, "clip_on": False, "zorder": 3}
                ax.plot(points[:, 0], points[:, 1], label=label, **style)
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        if all(value >= 0 for curves in networks.values() for curve in curves for _, value in curve):
            ax.set_ylim(bottom=max(0, ax.get_ylim()[0]))
    add_legend_below(figure, max(axes[0], key=lambda ax: len(ax.get_legend_handles_labels()[1])), columns=3)
    return figure
