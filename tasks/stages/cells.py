"""Task "cell sampling" (paper 3.2): the stream of random cells that a search and its baseline share."""

from typing import Any

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.packing import pack_cells, unpack_cells
from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import CellsConfig
from tasks.store.caching import cached_task


@cached_task("cell sampling")
def sample_cells_task(config: CellsConfig, count: int, seed: int) -> dict[str, Any]:
    """Draw `count` cells that differ up to isomorphism; returns them packed."""
    return {"cells": pack_cells(sample_distinct_cells(config, count, seed)), "operations": list(config.operations)}


def sampled_cells(value: dict[str, Any]) -> CellBatch:
    """Return the cells that `sample_cells_task` packed."""
    return unpack_cells(value["cells"], value["operations"])
