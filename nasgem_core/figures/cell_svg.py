"""A cell as a small drawing on a page: a few kilobytes, in the colours of the page."""

from html import escape

import numpy as np

from nasgem_core.cells.cell import Cell
from nasgem_core.figures.cell_layout import layered_layout
from nasgem_core.operations.registry import OPERATIONS

_STEP, _ROW, _RADIUS, _SQUARE = 36, 26, 9, 7
"""Pixels: between layers, between the vertices of a layer, of a vertex, and half the side of input and output."""
_GREY = "#d9d9d9"


def cell_svg(cell: Cell) -> str:
    """Return a cell as an SVG element: input and output as squares, a circle for each vertex in its operation's colour.

    A vertex says its operation on hover. Lines to the output are dashed, as in `draw_cell`.
    """
    layout = layered_layout(cell)
    x = np.round(layout.layer * _STEP + _STEP / 2, 1)
    y = np.round((layout.height - layout.height.min()) * _ROW + _ROW / 2 + 2, 1)
    output = cell.num_vertices
    to_output = np.isin(layout.source, layout.source[layout.segments[:, 1] == output])
    lines = []
    for (start, end), dashed in zip(layout.segments.tolist(), to_output, strict=True):
        middle = (x[start] + x[end]) / 2
        path = f"M{x[start]:g} {y[start]:g}C{middle:g} {y[start]:g} {middle:g} {y[end]:g} {x[end]:g} {y[end]:g}"
        lines.append(f'<path d="{path}"' + (' stroke-dasharray="3 2"/>' if dashed else "/>"))
    shapes = [_vertex(cell.operations[place], x[place], y[place]) for place in range(1, output)]
    for place, words in ((0, "input"), (output, "output")):
        left, top = x[place] - _SQUARE, y[place] - _SQUARE
        shapes.append(
            f'<rect x="{left:g}" y="{top:g}" width="{2 * _SQUARE}" height="{2 * _SQUARE}" fill="currentColor">'
            f"<title>{words}</title></rect>"
        )
    width, height = x.max() + _STEP / 2, y.max() + _ROW / 2 + 2
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}"><g fill="none" stroke="currentColor" stroke-opacity="0.55">'
        f'{"".join(lines)}</g><g stroke="currentColor">{"".join(shapes)}</g></svg>'
    )


def operation_colour(name: str) -> str:
    """Return the fill colour of an operation; that of a measured table, which has no looks of its own, is grey."""
    return OPERATIONS.get(name).colour if name in OPERATIONS else _GREY


def _vertex(operation: str, x: float, y: float) -> str:
    return (
        f'<circle cx="{x:g}" cy="{y:g}" r="{_RADIUS}" fill="{escape(operation_colour(operation))}">'
        f"<title>{escape(operation)}</title></circle>"
    )
