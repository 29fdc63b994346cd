"""A cell as a picture."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path

from nasgem_core.cells.cell import Cell
from nasgem_core.cells.text import cell_summary
from nasgem_core.figures.cell_layout import Layout, layered_layout
from nasgem_core.operations.registry import OPERATIONS

_INK = "#222222"
_MUTED = "#5f6368"
_SHAPES = "oshDp8^v"
"""Markers of the first, second, ... operation of a measured table, which has no looks of its own."""
_GREY = "#d9d9d9"
_LINES = ("#4d4d4d", "#2166ac", "#b35806", "#1b7837", "#762a83", "#a50f15")
"""Colours of the lines, by the vertex that they leave, so that neighbouring lines are easy to distinguish."""
_UNIT = 0.52
"""Inches between two vertices of a layer in a cell of ordinary size; the lengths below are in this unit."""
_LAYER_GAP = 1.5
_MAX_INCHES = 44.0
_DIAMETER = 0.58
"""Diameter of a vertex."""


def draw_cell(cell: Cell, title: str = "") -> Figure:
    """Draw a cell from left to right: input, vertices in layers by longest path, output.

    The lines that leave a vertex carry one tensor and run in a bundle around the vertices in between. The tensors that
    meet at a vertex are concatenated, and the output concatenates those of all leaves (paper, section 3.2). Lines to
    the output are dashed. The colour and shape of a vertex show its operation.
    """
    layout = layered_layout(cell)
    points = np.stack([layout.layer * _LAYER_GAP, layout.height], axis=1)
    columns, rows = np.ptp(points, axis=0) + 1.0
    unit = min(_UNIT, _MAX_INCHES / max(columns, rows))
    top, bottom, side = (0.72 if title else 0.42), 0.5, 0.15
    width, height = max(columns * unit + 2 * side, 5.0), rows * unit + top + bottom
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((side / width, bottom / height, 1 - 2 * side / width, rows * unit / height))
    axes.set_axis_off()
    centre = (points.max(axis=0) + points.min(axis=0)) / 2
    reach = (width - 2 * side) / unit / 2
    axes.set_xlim(centre[0] - reach, centre[0] + reach)
    axes.set_ylim(centre[1] + rows / 2, centre[1] - rows / 2)

    _draw_lines(axes, layout, points, cell.num_vertices, unit)
    handles = _draw_vertices(axes, cell, points, unit)
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.02, 0.0), ncols=len(handles), frameon=False, fontsize=9
    )
    edge = side / width
    if title:
        figure.text(edge, 1 - 0.12 / height, title, va="top", fontsize=12, fontweight="bold", color=_INK)
    figure.text(edge, 1 - (top - 0.3) / height, cell_summary(cell), va="top", fontsize=9, color=_MUTED)
    return figure


def _draw_lines(axes: Axes, layout: Layout, points: np.ndarray, output: int, unit: float) -> None:
    """Draw each segment as an S-curve that is level at both ends."""
    to_output = np.isin(layout.source, layout.source[layout.segments[:, 1] == output])
    codes = [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
    start, end = points[layout.segments[:, 0]], points[layout.segments[:, 1]]
    bend = np.array([_LAYER_GAP / 2, 0.0])
    curves = np.stack([start, start + bend, end - bend, end], axis=1)
    for dashed in (False, True):
        chosen = np.flatnonzero(to_output == dashed)
        axes.add_collection(
            PathCollection(
                [Path(curves[i], codes) for i in chosen],
                facecolors="none",
                edgecolors=[_LINES[layout.source[i] % len(_LINES)] for i in chosen],
                linewidths=1.1 * unit / _UNIT,
                linestyles=(0, (3, 1.6)) if dashed else "solid",
                alpha=0.75,
                zorder=1,
            ),
            autolim=False,
        )


def _draw_vertices(axes: Axes, cell: Cell, points: np.ndarray, unit: float) -> list[Line2D]:
    """Draw vertices, input and output, with an arrowhead in front of each; return the handles of the legend."""
    size = cell.num_vertices
    diameter = _DIAMETER * unit * 72
    x, y = points[: size + 1].T
    tip = x[1:] - _DIAMETER / 2 - 0.07
    axes.scatter(tip, y[1:], marker=">", s=(0.17 * unit * 72) ** 2, color=_INK, linewidths=0, zorder=2)
    handles = []
    for i, name in enumerate(sorted(set(cell.operations[1:]))):
        index = np.array([vertex for vertex, operation in enumerate(cell.operations) if operation == name])
        marker, colour = _SHAPES[i % len(_SHAPES)], _GREY
        if name in OPERATIONS:
            marker, colour = OPERATIONS.get(name).marker, OPERATIONS.get(name).colour
        axes.scatter(
            x[index], y[index], s=diameter**2, marker=marker, color=colour, edgecolors=_INK, linewidths=0.9, zorder=3
        )
        handles.append(
            Line2D([], [], ls="", marker=marker, color=colour, markersize=10, markeredgecolor=_INK, label=name)
        )
    for vertex in range(1, size):
        axes.text(
            x[vertex],
            y[vertex],
            str(vertex),
            ha="center",
            va="center_baseline",
            fontsize=17 * unit,
            color=_INK,
            zorder=4,
        )
    for point, word in ((0, "in"), (size, "out")):
        axes.scatter(x[point], y[point], marker="s", s=diameter**2, color=_INK, zorder=3)
        axes.text(
            x[point], y[point], word, ha="center", va="center_baseline", fontsize=16 * unit, color="white", zorder=4
        )
    return handles
