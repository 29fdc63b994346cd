"""A user's own table of cells and their measured figures, from parquet or CSV."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from nasgem_core.benchmarks.table import TabularSpace
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.config.documents import shown
from nasgem_core.errors import CellError, DataError
from nasgem_core.json_text import parse_json
from nasgem_core.operations.operation import INPUT
from nasgem_core.operations.registry import register_tabular

CELL = "cell"
"""Name of the column that holds cells as JSON, as `Cell.to_json` writes them."""
COSTS = ("params", "macs")
"""Metrics that a table may hold without being asked for."""


def read_rows(path: Path, name: str, label: str, truth: str, others: Sequence[str] = ()) -> TabularSpace:
    """Read a table with the columns `cell` (JSON), `label`, `truth` and, where they are there, `params` and `macs`.

    Rows are counted from 1, the heading aside. Isomorphic cells with the same figures are kept once. Operations may
    have any names: one that is not an operation of the search needs no cost and no layer.

    Args:
        path: a `.parquet` or `.csv` file.
        name: name of the space.
        label: the observed metric; accuracies are fractions.
        truth: the metric that rankings are judged by; may be the same.
        others: further metrics of the table.

    Raises:
        DataError: the file cannot be read, a column is missing or unknown, a value is not a finite number, a cell is
            invalid, or isomorphic cells disagree. It names the row.
    """
    frame = _read_frame(path)
    wanted = tuple(dict.fromkeys((label, truth, *others)))
    missing = [column for column in (CELL, *wanted) if column not in frame]
    if missing:
        raise DataError(f"{path}: column {missing[0]!r} is missing; the file has {', '.join(map(str, frame.columns))}")
    unknown = [column for column in frame if column not in (CELL, *wanted, *COSTS)]
    if unknown:
        raise DataError(f"{path}: column {unknown[0]!r} is unknown: remove it, or name it among the metrics to read")
    present = [*wanted, *(column for column in COSTS if column in frame and column not in wanted)]
    metrics = {column: _numbers(frame[column], path) for column in present}
    return replace(table_from_rows(str(path), _cells(frame[CELL], path), metrics, label=label, truth=truth), name=name)


def table_from_rows(
    name: str, cells: Sequence[Cell], metrics: Mapping[str, np.ndarray], *, label: str, truth: str
) -> TabularSpace:
    """Make a space of cells and their metrics; isomorphic cells with the same figures are kept once.

    Args:
        name: name of the space.
        cells: one cell per row.
        metrics: as many numbers by name.
        label: the observed metric.
        truth: the metric that rankings are judged by.

    Raises:
        DataError: as `TabularSpace`, or isomorphic cells disagree in a metric; it names both rows.
    """
    batch = CellBatch.from_cells(cells)
    columns = {metric: np.asarray(values, dtype=np.float32) for metric, values in metrics.items()}
    hashes = key_hashes(batch)
    space = TabularSpace(name, batch, columns, label, truth, hashes)
    _, first, group = np.unique(hashes, axis=0, return_index=True, return_inverse=True)
    origin = first[group.reshape(-1)]
    for metric, values in columns.items():
        differing = np.flatnonzero(values != values[origin])
        if len(differing):
            row = differing[0]
            raise DataError(
                f"{name}: row {row + 1} holds the same cell as row {origin[row] + 1} (up to the order of vertices), "
                f"but {metric!r} is {values[row]} and not {values[origin[row]]}: keep one of them or their mean"
            )
    kept = np.sort(first)
    columns = {metric: values[kept] for metric, values in columns.items()}
    return TabularSpace(name, space.cells[kept], columns, label, truth, hashes[kept])


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
    cells = []
    for row, text in enumerate(texts, start=1):
        try:
            cells.append(Cell.from_json(text if isinstance(text, str) else ""))
        except CellError as error:
            raise DataError(f"{path}: row {row}: {error}") from None
    if not cells:
        raise DataError(f"{path} has no rows")
    return cells


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
