"""A comparison of four known blocks whose accuracies are made up."""

import numpy as np

from nasgem_core.backbones.layout import named_layout
from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.known_blocks import known_blocks
from nasgem_core.config.search import CellsConfig
from nasgem_core.search.halving import Halving
from tasks.stages.finalists_results import Finalist, summary_of, table_of, write_finalists
from tasks.stages.finalists_words import finalists_summary

CELLS = [block.cell.canonical_form() for block in known_blocks(CellsConfig())[:4]]
ORIGINS = ("predicted", "random", "bootstrap top", "known: MobileNetV1")
HALVING = Halving((1, 4), np.array([[0.2, np.nan], [0.3, 0.5], [0.4, 0.45], [np.nan, np.nan]]), order=(1, 2, 0, 3))


def finalists() -> list[Finalist]:
    """Return the four, in the order of the proxy."""
    layout = named_layout("cifar", "mobile")
    return [
        Finalist(
            fit_to_budget(cell.canonical_key[:8], cell, layout, num_classes=3, image_size=(32, 32), macs=8_000_000),
            origin,
            place,
            0.5 - 0.1 * place,
            1,
        )
        for place, (cell, origin) in enumerate(zip(CELLS, ORIGINS, strict=True))
    ]


def write_comparison(searched: Cell) -> dict:
    """Write the files of the stage, where the search had chosen a cell; return the metrics as they are read."""
    summary = summary_of(finalists(), HALVING, searched, schedule=4, ruled_out=2)
    write_finalists(table_of(finalists(), HALVING, ["", "", "", "the loss was nan"]), summary)
    return finalists_summary()


def write_single() -> dict:
    """Write the files of a comparison of one cell with none; return the metrics as they are read."""
    alone = Halving((), np.empty((1, 0)), (0,))
    summary = summary_of(finalists()[:1], alone, CELLS[2], schedule=4, ruled_out=0)
    write_finalists(table_of(finalists()[:1], alone, [""]), summary)
    return finalists_summary()
