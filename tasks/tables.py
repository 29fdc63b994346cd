"""Imported tables of measured cells: one parquet a table in `data/tables`, read once a process."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from nasgem_core.benchmarks import nasbench101, nasbench201
from nasgem_core.benchmarks.rows import read_rows
from nasgem_core.benchmarks.table import TabularSpace, is_table, read_table, write_table
from nasgem_core.errors import DataError, ParameterError
from tasks.artifacts import DATA

TABLES = DATA / "tables"


def table_path(name: str) -> Path:
    """Return where the table of that name lies; raises `ParameterError` for a name that is no file name."""
    if not name.replace("_", "").replace("-", "").isalnum():
        raise ParameterError(f"table {name!r}: a name has letters, digits, _ and - only")
    return TABLES / f"{name}.parquet"


def import_table(name: str, source: Path, label: str | None = None, truth: str | None = None) -> TabularSpace:
    """Read a benchmark's own file, or a user's table, and write it into `data/tables`.

    Args:
        name: `nasbench101` (from .tfrecord or .npz), `nasbench201` or `nasbench201-raw` (from .pth or .npz), or any
            other name for a table that nasgem has written, such as NASGEM-Bench, or for a .parquet or .csv table with
            a column of cells.
        source: the file.
        label: of a user's table, the metric that a search may observe.
        truth: the metric that rankings are judged by; the label by default.

    Raises:
        ParameterError: an option does not belong to this table, or a user's table lacks its label.
        DataError: the file cannot be read as such a table, or the result cannot be written.
    """
    path = table_path(name)
    forms = {table: form for form, table in nasbench201.NAMES.items()}
    if (name == nasbench101.NAME or name in forms) and (label or truth):
        raise ParameterError(f"{name} has its own label and truth: leave out --label and --truth")
    if name == nasbench101.NAME:
        space = (nasbench101.import_tfrecord if source.suffix == ".tfrecord" else nasbench101.import_npz)(source)
    elif name in forms:
        read = nasbench201.import_pth if source.suffix == ".pth" else nasbench201.import_npz
        space = read(source, forms[name])
    elif is_table(source):
        space = replace(read_table(source), name=name)
    elif label is None:
        raise ParameterError(f"table {name!r}: say with --label which column of {source} is the observed metric")
    else:
        space = read_rows(source, name, label, truth or label)
    write_table(space, path)
    return space


def open_table(name: str) -> TabularSpace:
    """Read an imported table; raises `DataError` with what to do when it is missing or altered."""
    path = table_path(name)
    if not path.is_file():
        there = ", ".join(sorted(file.stem for file in TABLES.glob("*.parquet"))) or "none"
        raise DataError(f"{path} is missing (imported: {there}): run `nasgem benchmark import {name} FILE`")
    return _read_once(path.resolve(), path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read_once(path: Path, changed: int) -> TabularSpace:
    """Read a table once a process and state of the file; `changed` tells states apart."""
    return read_table(path)
