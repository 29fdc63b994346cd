"""Imported tables of measured cells: one parquet file per table in `data/tables`, read once per process."""

from functools import lru_cache
from pathlib import Path

from nasgem_core.benchmarks.table import TabularSpace, read_table
from nasgem_core.errors import DataError, ParameterError
from tasks.store.artifacts import DATA

TABLES = DATA / "tables"


def table_path(name: str) -> Path:
    """Return the path of the table of that name; raises `ParameterError` for a name that cannot name a file."""
    if not name.replace("_", "").replace("-", "").isalnum():
        raise ParameterError(f"table {name!r}: a name has letters, digits, _ and - only")
    return TABLES / f"{name}.parquet"


def open_table(name: str) -> TabularSpace:
    """Read an imported table; raises `DataError` with what to do when it is missing or altered."""
    path = table_path(name)
    if not path.is_file():
        there = ", ".join(sorted(file.stem for file in TABLES.glob("*.parquet"))) or "none"
        raise DataError(f"{path} is missing (imported: {there}): run `nasgem benchmark import {name} FILE`")
    return _read_once(path.resolve(), path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read_once(path: Path, changed: int) -> TabularSpace:
    """Read a table once per process and state of the file, which `changed` stands for."""
    return read_table(path)
