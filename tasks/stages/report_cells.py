"""The trained cells on the report's page: a small drawing of each, which points and tables lead to."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from nasgem_core.cells.text import cell_summary
from nasgem_core.figures.cell_svg import cell_svg, operation_colour
from nasgem_core.figures.page_parts import Drawing, Gallery, Link
from tasks.stages.results import best_cells_table, found_by
from tasks.stages.trained import TrainedCells

_MOST = 400
"""Cells that are drawn at most, the best ones; a drawing takes a few kilobytes and hundredths of a second."""


def anchor_of(key: str) -> str:
    """Return the name of the place on the page where a cell is drawn."""
    return f"cell-{key[:12]}"


def cell_link(key: str) -> Link:
    """Return the first digits of a cell's key, which lead to its drawing."""
    return Link(key[:8], anchor_of(key))


def linked_cells_table(trained: TrainedCells, count: int) -> tuple[list[str], list[list[object]]]:
    """Return the table of the best cells with links to their drawings."""
    header, rows = best_cells_table(trained, count)
    keys = trained.ranked.key[:count]
    return header, [[row[0], cell_link(key), *row[2:]] for row, key in zip(rows, keys, strict=True)]


def point_words(row: Mapping[str, Any]) -> str:
    """Return what the point of a cell says on hover."""
    return (
        f"cell {row['key'][:8]}, {found_by(row)}: accuracy {row['accuracy']:.4f}, score {row['score']:.4f}, "
        f"{row['macs'] / 1e6:.3f} M MACs"
    )


def point_titles(distinct: TrainedCells) -> dict[str, str]:
    """Return these words for all cells that have a point, by the address of their drawings."""
    return {f"#{anchor_of(row['key'])}": point_words(row) for row in distinct.rows() if np.isfinite(row["score"])}


def cells_gallery(distinct: TrainedCells, chosen: str) -> Gallery:
    """Return the drawings of the best trained cells by score, and of the chosen one."""
    best = distinct.ranked
    shown = best[(np.arange(len(best)) < _MOST) | (best.key == chosen)]
    drawings = [
        Drawing(
            anchor_of(row["key"]),
            cell_svg(shown.cells.cell(place)),
            f"{point_words(row)}; {cell_summary(shown.cells.cell(place))}"
            + ("; chosen" if row["key"] == chosen else ""),
        )
        for place, row in enumerate(shown.rows())
    ]
    names = sorted({name for place in range(len(shown)) for name in shown.cells.cell(place).operations[1:]})
    note = (
        "Best score first. The squares are input and output; what meets at a vertex is concatenated, and dashed lines "
        "lead to the output."
    )
    if len(best) > len(shown):
        note += f" The best {len(shown)} of {len(best)} cells are drawn."
    return Gallery("Trained cells", drawings, note, {name: operation_colour(name) for name in names})
