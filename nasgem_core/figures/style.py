"""The common style of all figures, set on the objects and never in matplotlib's global state."""

import textwrap
from typing import Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

INK = "#222222"
MUTED = "#5f6368"
GRID = "#e4e6e8"
GUIDED = "#0072b2"
PLAIN = "#d55e00"
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")
"""Okabe and Ito's colours, which are distinguishable with all common kinds of colour vision."""
MARKERS = "os^Dv<>"
SURFACE = matplotlib.colormaps["viridis"]
_Corner = Literal["upper left", "upper right", "lower right"]
MAX_DOTS = 20_000
"""Limit of the dots in a scatter plot; numbers are always computed from all values."""


def new_figure(
    title: str,
    *,
    width: float,
    height: float,
    rows: int = 1,
    columns: int = 1,
    share_x: bool = False,
    share_y: bool = False,
) -> tuple[Figure, np.ndarray]:
    """Return a white figure with a headline, and its axes as [rows, columns]; sizes are in inches."""
    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08, wspace=0.03, hspace=0.04)
    figure = Figure(figsize=(width, height), facecolor="white", layout=layout)
    FigureCanvasAgg(figure)
    wrapped = textwrap.fill(title, max(20, int(width * 10.5)))
    look = {"fontsize": 12, "fontweight": "bold", "color": INK, "parse_math": False}  # names may contain a $
    figure.suptitle(wrapped, x=0.08 / width, ha="left", **look)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=share_x, sharey=share_y)
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
        ax.spines[["left", "bottom"]].set_color("#9aa0a6")
        ax.tick_params(which="both", color="#9aa0a6", labelcolor=INK, labelsize=9)
        ax.grid(visible=True, color=GRID, linewidth=0.8)
        ax.set_axisbelow(True)
    return figure, axes


def describe(ax: Axes, subtitle: str, x_label: str, y_label: str) -> None:
    """Write a panel's subtitle, above it on the left, and the labels of its axes."""
    ax.set_title(subtitle, loc="left", fontsize=9.5, color=MUTED)
    ax.set_xlabel(x_label, fontsize=10, color=INK)
    ax.set_ylabel(y_label, fontsize=10, color=INK)


def add_legend(ax: Axes, location: _Corner) -> None:
    """Add a legend that is slightly transparent, so that it does not hide what is below it."""
    legend = ax.legend(loc=location, fontsize=9, framealpha=0.85, edgecolor="none", labelcolor=INK)
    legend.set_zorder(20)
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1.0)


def add_legend_below(figure: Figure, ax: Axes, columns: int, title: str | None = None) -> None:
    """Add a panel's legend below the whole figure, where it hides nothing."""
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        look = {"ncols": columns, "fontsize": 9, "title_fontsize": 9, "frameon": False, "labelcolor": INK}
        figure.legend(handles, labels, loc="outside lower center", title=title, **look)


def set_log_scale(ax: Axes, name: Literal["x", "y"]) -> None:
    """Make one axis logarithmic, with plain numbers at 1, 2, 5 times powers of ten; call it after drawing the data."""
    ax.set(**{f"{name}scale": "log"})
    axis = ax.xaxis if name == "x" else ax.yaxis
    low, high = axis.get_view_interval()
    locator = LogLocator(subs=(1.0, 2.0, 5.0) if high < 1e3 * low else (1.0,))
    inside = [tick for tick in locator.tick_values(low, high) if low <= tick <= high]
    axis.set_major_locator(locator if len(inside) > 2 else MaxNLocator(5))
    axis.set_major_formatter(FuncFormatter(lambda value, _: np.format_float_positional(value, 6, False, trim="-")))
    axis.set_minor_formatter(NullFormatter())


def say_empty(ax: Axes, words: str) -> None:
    """Write in the middle of an empty panel why it is empty."""
    ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center", fontsize=10, color=MUTED)


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return "1 cell", "1,770 pairs"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def left_out(failed: int) -> str:
    """Return a remark on the number of failed trainings, empty if there are none."""
    return f"; {counted(failed, 'failed training')} left out" if failed else ""


def shown(total: int) -> np.ndarray:
    """Return the indices of the dots to draw out of `total`: all, or a fixed random selection of `MAX_DOTS`."""
    if total <= MAX_DOTS:
        return np.arange(total)
    return np.sort(np.random.default_rng(0).choice(total, MAX_DOTS, replace=False))
