"""The cell that was chosen: by the search, and after it by a comparison of finalists on the target's images."""

from pathlib import Path

from nasgem_core.cells.cell import Cell
from nasgem_core.errors import CellError, DataError
from tasks.run.documents import say_hand_written
from tasks.store.artifacts import DATA, read_json, write_json

BEST_CELL_FILE = DATA / "bootstrap" / "best_cell.json"
"""The search's choice."""
FINALIST_FILE = DATA / "finalists" / "best_cell.json"
"""The choice among finalists, and the choice of the search that it takes the place of."""
_SCHEMA = "nasgem.best_cell/1"


def write_best_cell(cell: Cell) -> None:
    """Write the search's choice; if it is another cell than before, a choice among finalists counts no more."""
    write_json(BEST_CELL_FILE, _SCHEMA, {"cell": cell.to_dict()})


def read_searched_cell() -> Cell:
    """Read the search's choice; raises `DataError` where the file is missing or foreign."""
    return _read(BEST_CELL_FILE, "cell")


def write_finalist(cell: Cell, searched: Cell) -> None:
    """Write the choice among finalists of the search that has chosen `searched`."""
    write_json(FINALIST_FILE, _SCHEMA, {"cell": cell.to_dict(), "instead_of": searched.to_dict()})


def remove_finalist() -> None:
    """Let the search's choice count again."""
    FINALIST_FILE.unlink(missing_ok=True)


def best_cell_file() -> Path:
    """Return the file of the choice that counts: among finalists, if it was made after the search's choice.

    Raises:
        DataError: a file is foreign, or the search's choice is missing.
    """
    searched = read_searched_cell()
    counts = FINALIST_FILE.is_file() and _read(FINALIST_FILE, "instead_of") == searched
    return FINALIST_FILE if counts else BEST_CELL_FILE


def read_best_cell() -> Cell:
    """Read the choice that counts; raises `DataError` as `best_cell_file`."""
    return _read(best_cell_file(), "cell")


def not_trained(path: Path) -> DataError:
    """Return the error that says that a file holds a cell of another search."""
    return DataError(
        f"{path} holds a cell that this search has not trained: data/ is of several searches; run `nasgem search` again"
    )


def _read(path: Path, name: str) -> Cell:
    document = read_json(path, _SCHEMA, say_hand_written)
    if name not in document:
        raise DataError(f"{path} has no field {name!r}: move it away and run the stage again that writes it")
    try:
        return Cell.from_dict(document[name])
    except CellError as error:
        raise DataError(f"{path}, field {name!r}: {error}") from None
