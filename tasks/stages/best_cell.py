"""The file of the cell that the search has chosen."""

from nasgem_core.cells.cell import Cell
from tasks.store.artifacts import DATA, read_json, write_json

BEST_CELL_FILE = DATA / "bootstrap" / "best_cell.json"
_SCHEMA = "nasgem.best_cell/1"


def write_best_cell(cell: Cell) -> None:
    """Write the chosen cell."""
    write_json(BEST_CELL_FILE, _SCHEMA, {"cell": cell.to_dict()})


def read_best_cell() -> Cell:
    """Read the chosen cell; raises `DataError` where the file is missing or foreign."""
    return Cell.from_dict(read_json(BEST_CELL_FILE, _SCHEMA)["cell"])
