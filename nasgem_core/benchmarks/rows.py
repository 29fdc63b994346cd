"""A user's own table of cells and their measured figures, from parquet or CSV."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from nasgem_core.benchmarks.duplicates import REFUSE, Joined, join_duplicates
from nasgem_core.benchmarks.edge_cells import NONE, OUTPUT, SKIP, Edge, parse_edges, vertex_cell
from nasgem_core.benchmarks.table import TabularSpace
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.config.documents import shown
from nasgem_core.errors import CellError, DataError
from nasgem_core.json_text import parse_json
from nasgem_core.operations.operation import INPUT
from nasgem_core.operations.registry import register_tabular

T = TypeVar("T")
CELL = "cell"
"""Name of the column that holds cells, as `Cell.to_json` writes them or with operations on edges."""
COSTS = ("params", "macs")
"""Metrics that a table may hold without being asked for."""


@dataclass(frozen=True)
class Columns:
    """What the columns of a user's table are.

    Args:
        label: the observed metric; accuracies are fractions.
        truth: the metric that rankings are judged by; may be the same.
        others: further metrics of the table.
        edges: operations are on the edges of the cells, see `nasgem_core.benchmarks.edge_cells`.
        duplicates: what becomes of isomorphic cells that disagree, see `nasgem_core.benchmarks.duplicates`.
    """

    label: str
    truth: str
    others: tuple[str, ...] = ()
    edges: bool = False
    duplicates: str = REFUSE


def read_rows(path: Path, name: str, columns: Columns) -> Joined:
    """Read a table with the columns `cell` (JSON), label, truth and, where they are there, `params` and `macs`.

    Rows are counted from 1, the heading aside. Isomorphic cells with the same figures are kept once. Operations may
    have any names: one that is not an operation of the search needs no cost and no layer.

    Args:
        path: a `.parquet` or `.csv` file.
        name: name of the space.
        columns: what its columns are.

    Raises:
        DataError: the file cannot be read, a column is missing or unknown, a value is not a finite number, a cell is
            invalid, or isomorphic cells disagree and may not. It names the row.
    """
    frame = _read_frame(path)
    wanted = tuple(dict.fromkeys((columns.label, columns.truth, *columns.others)))
    missing = [column for column in (CELL, *wanted) if column not in frame]
    if missing:
        raise DataError(f"{path}: column {missing[0]!r} is missing; the file has {', '.join(map(str, frame.columns))}")
    unknown = [column for column in frame if column not in (CELL, *wanted, *COSTS)]
    if unknown:
        raise DataError(f"{path}: column {unknown[0]!r} is unknown: remove it, or name it among the metrics to read")
    present = [*wanted, *(column for column in COSTS if column in frame and column not in wanted)]
    metrics = {column: _numbers(frame[column], path) for column in present}
    cells = (_edge_cells if columns.edges else _cells)(frame[CELL], path)
    found = table_from_rows(str(path), cells, metrics, columns)
    return replace(found, table=replace(found.table, name=name))


def table_from_rows(name: str, cells: Sequence[Cell], metrics: Mapping[str, np.ndarray], columns: Columns) -> Joined:
    """Make a space of cells and their metrics; isomorphic cells with the same figures are kept once.

    Args:
        name: name of the space.
        cells: one cell per row.
        metrics: as many numbers by name.
        columns: which of them are label and truth, and what becomes of isomorphic cells that disagree.

    Raises:
        DataError: as `TabularSpace`, or as `join_duplicates`.
    """
    batch = CellBatch.from_cells(cells)
    numbers = {metric: np.asarray(values, dtype=np.float32) for metric, values in metrics.items()}
    space = TabularSpace(name, batch, numbers, columns.label, columns.truth, key_hashes(batch))
    return join_duplicates(space, columns.duplicates)


def key_hashes(cells: CellBatch) -> np.ndarray:
    """Return the canonical keys as bytes, [B, 16] uint8."""
    return np.frombuffer(bytes.fromhex("".join(cells.keys)), dtype=np.uint8).reshape(-1, 16)


def _read_frame(path: Path) -> pd.DataFrame:
    if path.suffix not in (".parquet", ".csv"):
        raise DataError(f"{path}: a table of cells is a .parquet or .csv file")
    try:
        frame = (
            pd.read_csv(path, dtype=str, keep_default_na=False)
            if path.suffix == ".csv"
            else pq.read_table(path, use_threads=False).to_pandas()
        )
    except Exception as error:  # pandas and Arrow let out whatever a damaged file makes of them
        reason = str(error).strip() or type(error).__name__
        raise DataError(f"{path} cannot be read as a table: {reason}") from None
    if not isinstance(frame.index, pd.RangeIndex):
        raise DataError(f"{path} cannot be read as a table: its rows have more values than the heading has names")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise DataError(f"{path}: column {twice[0]!r} is there twice: remove one")
    return frame


def _numbers(values: pd.Series, path: Path) -> np.ndarray:
    try:
        if values.dtype.kind not in "iufO" and not pd.api.types.is_string_dtype(values.dtype):
            raise TypeError(f"it holds values of type {values.dtype}")
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    except Exception as error:  # a column of lists or of dates, or numbers that no float holds
        raise DataError(f"{path}: column {values.name!r} must hold finite numbers: {error}") from None
    with np.errstate(over="ignore"):
        wrong = np.flatnonzero(~np.isfinite(numbers.astype(np.float32)))
    if len(wrong):
        found = shown(values.iloc[wrong[0]])
        raise DataError(f"{path}: row {wrong[0] + 1}: {values.name!r} is {found}: it must be a finite number")
    return numbers


def _cells(texts: pd.Series, path: Path) -> list[Cell]:
    for name in _operation_names(texts):
        register_tabular(name)
    return _each_row(Cell.from_json, (text if isinstance(text, str) else "" for text in texts), path)


def _edge_cells(texts: pd.Series, path: Path) -> list[Cell]:
    """Return the cells of a column whose operations are on edges."""
    listed: list[list[Edge]] = _each_row(parse_edges, (text if isinstance(text, str) else "" for text in texts), path)
    names = {name for edges in listed for _, _, name in edges}
    wrong = [name for name in names if not _is_text(name)]
    if wrong:
        raise DataError(f"{path}: operation {shown(wrong[0])} has half a character, which no file can hold: rename it")
    for name in (*names, NONE, SKIP, OUTPUT):
        register_tabular(name)
    return _each_row(vertex_cell, listed, path)


def _each_row(read: Callable[[Any], T], values: Iterable[Any], path: Path) -> list[T]:
    """Return what is read of each row, counted from 1; the error of a row names it."""
    found = []
    for row, value in enumerate(values, start=1):
        try:
            found.append(read(value))
        except CellError as error:
            raise DataError(f"{path}: row {row}: {error}") from None
    if not found:
        raise DataError(f"{path} has no rows")
    return found


def _operation_names(texts: Iterable[Any]) -> set[str]:
    """Return the names that the cells' vertices have; what is not a cell has none, and is refused when it is read."""
    names: set[Any] = set()
    for text in texts:
        try:
            names.update(parse_json(text)["operations"])
        except (TypeError, ValueError, KeyError):
            continue
    return {name for name in names if isinstance(name, str) and _is_text(name)} - {"", INPUT}


def _is_text(name: str) -> bool:
    # JSON can write half a character, which no file of ours can hold.
    return not any("\ud800" <= letter <= "\udfff" for letter in name)
