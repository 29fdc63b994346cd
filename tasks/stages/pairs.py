"""Task "pair generation" (paper 3.1) and the files of stage `pairs`."""

from typing import Any

from nasgem_core.cells.packing import pack_cells, unpack_cells
from nasgem_core.config.search import CellsConfig, PairsConfig
from nasgem_core.kernel.pairs import Pairs, draw_pairs
from tasks.store.artifacts import DATA, read_arrays, write_arrays
from tasks.store.caching import cached_task

PAIRS_FILE = DATA / "pairs" / "pairs.npz"
SCHEMA = "nasgem.pairs/1"


@cached_task("pair generation")
def generate_pairs(cells: CellsConfig, config: PairsConfig, seed: int) -> dict[str, Any]:
    """Draw the pairs; returns packed cells of both sides."""
    pairs = draw_pairs(cells, config, seed)
    return {"left": pack_cells(pairs.left), "right": pack_cells(pairs.right), "operations": list(cells.operations)}


def unpack_pairs(packed: dict[str, Any]) -> Pairs:
    """Return the pairs that `generate_pairs` packed."""
    return Pairs(*(unpack_cells(packed[side], packed["operations"]) for side in ("left", "right")))


def write_pairs(packed: dict[str, Any]) -> None:
    """Write the stage's file."""
    arrays = {f"{side}_{name}": array for side in ("left", "right") for name, array in packed[side].items()}
    write_arrays(PAIRS_FILE, SCHEMA, arrays, {"operations": packed["operations"]})


def read_pairs() -> dict[str, Any]:
    """Read the stage's file; raises `DataError` when it is missing or foreign."""
    arrays, metadata = read_arrays(PAIRS_FILE, SCHEMA)
    return packed_pairs(arrays, metadata["operations"])


def packed_pairs(arrays: dict[str, Any], operations: list[str]) -> dict[str, Any]:
    """Return the arrays of a file in the form that tasks pass on."""
    sides = {
        side: {name: arrays[f"{side}_{name}"] for name in ("edges", "codes") if f"{side}_{name}" in arrays}
        for side in ("left", "right")
    }
    return {**sides, "operations": operations}
