"""How a search went: best score against trained cells, and whether its predictions came true."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nasgem_core.errors import DataError
from nasgem_core.figures.style import (
    GUIDED,
    INK,
    MUTED,
    PLAIN,
    add_legend_below,
    counted,
    describe,
    left_out,
    new_figure,
    say_empty,
)

_MAX_COLUMNS = 4


def best_so_far(scores: np.ndarray) -> np.ndarray:
    """Return [N] the highest score among the first 1, 2, ... cells; NaN until one has a score."""
    return np.fmax.accumulate(np.asarray(scores, dtype=float))


def best_of_random(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean, 5th and 95th percentile, [N] each, of the best score among k = 1..N cells, over all orders.

    The order in which random cells are trained means nothing, and the curve of one order is luck; this is exact over
    all orders: of N sorted scores, the j-th is at least the best of k with probability C(j, k) / C(N, k).
    """
    from scipy.special import gammaln

    ranked = np.sort(np.asarray(scores, dtype=float))
    total = len(ranked)
    j, k = np.arange(1, total + 1)[None, :], np.arange(1, total + 1)[:, None]
    log_choose = gammaln(j + 1) - gammaln(k + 1) - gammaln(np.maximum(j - k, 0) + 1)
    below = np.where(j >= k, np.exp(log_choose - log_choose[:, -1:]), 0.0)
    mean = np.diff(below, axis=1, prepend=0.0) @ ranked
    low, high = (ranked[(below < level - 1e-12).sum(axis=1)] if total else ranked for level in (0.05, 0.95))
    return mean, low, high


def draw_progress(search: np.ndarray, baseline: np.ndarray, phases: Sequence[str] = ()) -> Figure:
    """Draw the best score so far of a search and of random search.

    Args:
        search: [N] scores in the order of training, NaN where a training failed (it still counts as trained).
        baseline: [M] scores of independently drawn random cells, in any order; empty when there is no baseline.
        phases: N words for the part of the search (round 0, round 1, bootstrap) that each cell belongs to.
    """
    search, baseline = np.asarray(search, dtype=float), np.asarray(baseline, dtype=float)
    if len(phases) not in (0, len(search)):
        raise DataError(f"{len(phases)} phases for {len(search)} cells: give one per cell, or none")
    finite = baseline[np.isfinite(baseline)]
    figure, axes = new_figure("Best score so far against trained cells", width=7.4, height=5.0)
    ax = axes[0, 0]
    failed = int((~np.isfinite(search)).sum() + len(baseline) - len(finite))
    words = f"search: {counted(len(search), 'cell')}"
    words += f", random search: {counted(len(baseline), 'cell')}" if len(baseline) else ""
    describe(ax, words + left_out(failed), "trained cells", "efficiency score")
    if not np.isfinite(search).any() and not len(finite):
        say_empty(ax, "no trained cell has a score")
        return figure
    if len(finite):
        mean, low, high = best_of_random(finite)
        steps = np.arange(1, len(finite) + 1)
        ax.fill_between(
            steps, low, high, color=PLAIN, alpha=0.16, linewidth=0, label="random search, 5 to 95 % of orders"
        )
        ax.plot(steps, mean, color=PLAIN, linewidth=2, linestyle=(0, (5, 2)), label="random search, mean of all orders")
    steps = np.arange(1, len(search) + 1)
    ax.scatter(steps, search, s=16, color=GUIDED, alpha=0.55, linewidths=0, label="search, each cell")
    ax.step(steps, best_so_far(search), where="post", color=GUIDED, linewidth=2.2, label="search, best so far")
    ax.set_xlim(0.5, max(len(search), len(finite)) + 0.5)
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + (0.25 if phases else 0.0) * (high - low))
    starts = [i for i in range(len(phases)) if i == 0 or phases[i] != phases[i - 1]]
    for start in starts:
        ax.axvline(start + 0.5, color="#9aa0a6", linewidth=0.9, linestyle=":", zorder=1)
        place = {"transform": ax.get_xaxis_transform(), "rotation": 90, "va": "top", "ha": "left"}
        ax.text(start + 0.62, 0.985, phases[start], fontsize=8, color=MUTED, **place)
    add_legend_below(figure, ax, columns=2)
    return figure


def draw_rounds(predicted: Sequence[np.ndarray], measured: Sequence[np.ndarray], names: Sequence[str]) -> Figure:
    """Draw predicted against measured scores, one panel per round, with Kendall's tau.

    Args:
        predicted: for each round, [n] scores predicted before these cells were trained: an honest hold-out.
        measured: the same cells' scores after training, NaN where a training failed.
        names: a word for each round.
    """
    if not len(predicted) == len(measured) == len(names):
        raise DataError(f"{len(predicted)} predictions, {len(measured)} measurements, {len(names)} names of rounds")
    panels = max(1, len(names))
    columns = min(panels, _MAX_COLUMNS)
    rows = math.ceil(panels / columns)
    title = "Scores predicted before training against measured scores"
    width = max(5.2, 0.6 + 3.0 * columns)
    figure, axes = new_figure(
        title, width=width, height=0.7 + 3.1 * rows, rows=rows, columns=columns, share_x=True, share_y=True
    )
    if not len(names):
        say_empty(axes[0, 0], "no round was predicted")
    seen = []
    for number, ax in enumerate(axes.flat):
        if number >= len(names):
            ax.set_visible(number == 0)
            continue
        x, y = np.asarray(predicted[number], dtype=float), np.asarray(measured[number], dtype=float)
        valid = np.isfinite(x) & np.isfinite(y)
        ax.scatter(x[valid], y[valid], s=30, color=GUIDED, alpha=0.8, edgecolors="white", linewidths=0.6, zorder=3)
        ax.set_title(f"{names[number]}: {_tau_words(x[valid], y[valid])}", loc="left", fontsize=9.5, color=MUTED)
        seen += [x[valid], y[valid]]
    values = np.concatenate(seen) if seen else np.zeros(0)
    if len(values):
        pad = max(0.06 * float(np.ptp(values)), 1e-3)
        limits = values.min() - pad, values.max() + pad
        for ax in axes.flat:
            ax.plot(limits, limits, color="#9aa0a6", linewidth=1, linestyle=(0, (4, 3)), zorder=1)
            ax.set(xlim=limits, ylim=limits, aspect="equal")
            ax.xaxis.set_major_locator(MaxNLocator(4))
            ax.yaxis.set_major_locator(MaxNLocator(4))
    figure.supxlabel("predicted score", fontsize=10, color=INK)
    figure.supylabel("measured score", fontsize=10, color=INK)
    return figure


def _tau_words(predicted: np.ndarray, measured: np.ndarray) -> str:
    from scipy.stats import kendalltau

    if len(predicted) < 3:
        return f"n = {len(predicted)}, too few for Kendall \N{GREEK SMALL LETTER TAU}"
    varied = np.ptp(predicted) > 0 and np.ptp(measured) > 0
    tau = f"{kendalltau(predicted, measured).statistic:+.2f}" if varied else "undefined"
    tau = tau.replace("-", "\N{MINUS SIGN}")
    return f"Kendall \N{GREEK SMALL LETTER TAU} {tau}, n = {len(predicted)}"
