"""A user's network next to those that he would have taken: accuracy with its interval, and against latency."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from nasgem_core.figures.letters import lettered
from nasgem_core.figures.style import MARKERS, PALETTE, counted, describe, new_figure
from nasgem_core.intervals import mean_and_interval


@dataclass(frozen=True)
class ComparedNetwork:
    """A network that was trained from several seeds.

    Args:
        name: of the network.
        accuracies: a fraction for each seed.
        cost: what it costs, in the unit of the axis.
    """

    name: str
    accuracies: Sequence[float]
    cost: float


def draw_comparison(networks: Sequence[ComparedNetwork], cost: str) -> Figure:
    """Draw the accuracy of every training with mean and Student's 95 % interval, and the means against a cost.

    Args:
        networks: in the order of the rows, the user's first.
        cost: label of the axis of costs, with its unit.
    """
    seeds = {len(network.accuracies) for network in networks}
    title = "Networks trained on the same images with the same recipe"
    height = 2.2 + 0.42 * len(networks)
    figure, axes = new_figure(title, width=11.0, height=max(3.6, height), columns=2)
    left, right = axes[0]
    remark = counted(max(seeds, default=0), "seed") + ("" if len(seeds) < 2 else " at most")
    describe(left, f"dots: single trainings; bars: mean with 95 % interval; {remark}", "top-1 accuracy (%)", "")
    describe(right, "marks as on the left; up and to the left is better", cost, "top-1 accuracy (%)")
    for place, network in enumerate(networks):
        mean, half = (100 * value for value in mean_and_interval(np.array(network.accuracies)))
        look = {"color": PALETTE[place % len(PALETTE)], "marker": MARKERS[place % len(MARKERS)]}
        bar = {**look, "markersize": 8, "capsize": 4, "elinewidth": 1.6}
        values = 100 * np.asarray(network.accuracies)
        left.scatter(values, np.full(len(values), place), s=26, color=look["color"], alpha=0.5, linewidths=0)
        error = None if np.isnan(half) else half
        left.errorbar(mean, place, xerr=error, **bar)
        right.errorbar(network.cost, mean, yerr=error, **bar)
    left.set_yticks(range(len(networks)), [lettered(network.name) for network in networks])
    left.set_ylim(len(networks) - 0.5, -0.5)
    right.margins(x=0.25, y=0.15)
    right.set_xlim(left=0)
    return figure
