"""A user's network next to those that he would have taken: accuracy with its interval, and against each cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nasgem_core.figures.letters import lettered
from nasgem_core.figures.style import (
    INK,
    MARKERS,
    PALETTE,
    add_legend_below,
    counted,
    describe,
    new_figure,
    say_empty,
    set_log_scale,
)
from nasgem_core.intervals import mean_and_interval
from nasgem_core.pareto_front import pareto_front

_NAMED = 12
"""The largest number of kinds that the legend names."""
_BAR: dict[str, Any] = {"markersize": 8, "capsize": 4, "elinewidth": 1.6}


@dataclass(frozen=True)
class Compared:
    """A network, or a cell in a search, that was trained from one seed or several.

    Args:
        name: of the network.
        kind: what it shares colour and mark with, such as its family.
        accuracies: a fraction for each seed.
        costs: what it costs, by the words of the axis; one that is not known may be missing.
    """

    name: str
    kind: str
    accuracies: Sequence[float]
    costs: Mapping[str, float]

    @property
    def accuracy(self) -> float:
        """Mean of the accuracies."""
        return mean_and_interval(np.array(self.accuracies))[0]


def fronts(compared: Sequence[Compared]) -> dict[str, set[str]]:
    """Return for each cost the names of the networks on its Pareto front; those of unknown cost are not on it."""
    words = dict.fromkeys(word for each in compared for word in each.costs)
    accuracy = np.array([each.accuracy for each in compared])
    return {word: {compared[place].name for place in pareto_front(_costs(compared, word), accuracy)} for word in words}


def draw_comparison(networks: Sequence[Compared]) -> Figure:
    """Draw the accuracy of every training with mean and Student's 95 % interval, and the means against each cost.

    Args:
        networks: in the order of the rows, the user's first.
    """
    words = list(fronts(networks))
    rows = 1 + len(words) // 2
    title = "Networks trained on the same images with the same recipe"
    height = max(3.6, 2.2 + 0.42 * len(networks)) + 3.6 * (rows - 1)
    figure, axes = new_figure(title, width=11.0, height=height, rows=rows, columns=2)
    left, *panels = axes.flat
    seeds = {len(network.accuracies) for network in networks}
    remark = counted(max(seeds, default=0), "seed") + ("" if len(seeds) < 2 else " at most")
    describe(left, f"dots: single trainings; bars: mean with 95 % interval; {remark}", "top-1 accuracy (%)", "")
    looks = _looks(networks)
    for place, network in enumerate(networks):
        mean, half = (100 * value for value in mean_and_interval(np.array(network.accuracies)))
        look = looks[network.kind]
        values = 100 * np.asarray(network.accuracies)
        left.scatter(values, np.full(len(values), place), s=26, color=look["color"], alpha=0.5, linewidths=0)
        left.errorbar(mean, place, xerr=_within_percents(mean, half), **look, **_BAR)
    left.set_yticks(range(len(networks)), [lettered(network.name) for network in networks])
    left.set_ylim(len(networks) - 0.5, -0.5)
    _draw_fronts(panels, networks, words, "top-1 accuracy (%)")
    return figure


def draw_fronts(title: str, compared: Sequence[Compared], accuracy: str) -> Figure:
    """Draw mean accuracies against each cost with the Pareto fronts.

    Args:
        title: of the figure.
        compared: cells or networks.
        accuracy: label of the axis of accuracies, which are in percent.
    """
    words = list(fronts(compared))
    figure, axes = new_figure(title, width=5.2 * max(2, len(words)), height=5.2, columns=max(2, len(words)))
    _draw_fronts(list(axes.flat), compared, words, accuracy)
    add_legend_below(figure, axes[0, 0], columns=4)
    return figure


def _draw_fronts(panels: Sequence[Axes], compared: Sequence[Compared], words: Sequence[str], accuracy: str) -> None:
    """Draw a panel for each cost: hollow marks are dominated, and a line joins those that are not."""
    on_front, looks = fronts(compared), _looks(compared)
    for ax in panels[len(words) :]:
        ax.set_axis_off()
    for ax, word in zip(panels, words, strict=False):
        describe(ax, "filled marks and line: Pareto front; hollow: dominated", word, accuracy)
        named: set[str] = set()
        for each in compared:
            mean, half = (100 * value for value in mean_and_interval(np.array(each.accuracies)))
            cost, front = each.costs.get(word, np.nan), each.name in on_front[word]
            if not np.isfinite([cost, mean]).all():
                continue
            look = {**looks[each.kind], **_BAR, "zorder": 4 if front else 3}
            look["markerfacecolor"] = look["color"] if front else "white"
            look["label"] = None if each.kind in named or len(looks) > _NAMED else lettered(each.kind)
            named.add(each.kind)
            ax.errorbar(cost, mean, yerr=_within_percents(mean, half), **look)
        if not named:
            say_empty(ax, "not measured")
            continue
        values = 100 * np.array([each.accuracy for each in compared])
        costs = _costs(compared, word)
        line = pareto_front(costs, values)
        ax.step(costs[line], values[line], where="post", color=INK, linewidth=1.4, zorder=2, label="Pareto front")
        ax.margins(x=0.15, y=0.15)
        set_log_scale(ax, "x")


def _within_percents(mean: float, half: float) -> np.ndarray | None:
    """Return the lengths of a bar to both sides, [2, 1], that ends at 0 and 100; None without an interval."""
    return None if np.isnan(half) else np.array([[min(half, mean)], [min(half, 100 - mean)]])


def _costs(compared: Sequence[Compared], word: str) -> np.ndarray:
    return np.array([each.costs.get(word, np.nan) for each in compared], dtype=float)


def _looks(compared: Sequence[Compared]) -> dict[str, dict[str, Any]]:
    """Return colour and mark of each kind, by first appearance."""
    kinds = dict.fromkeys(each.kind for each in compared)
    return {
        kind: {"color": PALETTE[place % len(PALETTE)], "marker": MARKERS[place % len(MARKERS)], "linestyle": "none"}
        for place, kind in enumerate(kinds)
    }
