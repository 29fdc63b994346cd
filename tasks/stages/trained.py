"""Trained cells as a table: what was measured of each, where it came from, and what had been predicted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.errors import CellError, DataError
from nasgem_core.search.score import efficiency_score
from tasks.store.artifacts import DATA, read_table, write_table

SCHEMA = "nasgem.trained_cells/1"
ESTIMATOR_FILE = DATA / "estimator" / "cells.parquet"
BOOTSTRAP_FILE = DATA / "bootstrap" / "cells.parquet"
RANDOM, PREDICTED, TOP, BASELINE = "random", "predicted", "bootstrap top", "random search"
"""Where a cell came from: a round's random draw, the predictor's pick, bootstrap optimisation, the baseline."""
COLUMNS = (
    "key",
    "cell",
    "origin",
    "round",
    "predicted",
    "accuracy",
    "score",
    "macs",
    "params",
    "failed",
    "reason",
)
LATENCY_COLUMNS = ("latency_ms", "latency_from")
"""What was charged where the score charges latency, and whether a measurement or the model tells it; else not there."""


def trained_row(
    cell: Cell,
    origin: str,
    number: int,
    predicted: float,
    result: dict[str, Any],
    costs: tuple[int, int],
    penalty: float,
    charged: int | None = None,
    source: str = "",
) -> dict[str, Any]:
    """Return one row; a failed training has neither accuracy nor score.

    Args:
        cell: a cell in canonical form.
        origin: where it came from.
        number: the round.
        predicted: its score as predicted before training, NaN where it was not.
        result: what the training gave.
        costs: MACs and params of its network.
        penalty: lambda of the score.
        charged: what the score charges; the MACs by default.
        source: where `charged` is a latency in nanoseconds, what tells it.
    """
    macs, params = costs
    accuracy = float("nan") if result["failed"] else float(result["accuracy"])
    return {
        "key": cell.canonical_key,
        "cell": cell.to_json(),
        "origin": origin,
        "round": number,
        "predicted": float(predicted),
        "accuracy": accuracy,
        "score": float(efficiency_score(accuracy, charged or macs, penalty)) if np.isfinite(accuracy) else float("nan"),
        "macs": int(macs),
        "params": int(params),
        "failed": bool(result["failed"]),
        "reason": str(result["reason"]),
        **(dict(zip(LATENCY_COLUMNS, ((charged or 0) / 1e6, source), strict=True)) if source else {}),
    }


def trained_table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return rows as a table with fixed columns and types; those of latency are there where rows have them."""
    types = {"round": np.int64, "macs": np.int64, "params": np.int64, "failed": bool}
    columns = [*COLUMNS, *(name for name in LATENCY_COLUMNS if any(name in row for row in rows))]
    return pd.DataFrame(list(rows), columns=columns).astype(types)


def with_latency(table: pd.DataFrame, charged: np.ndarray, sources: Sequence[str]) -> pd.DataFrame:
    """Return a table with other latencies: N nanoseconds and what tells each, or none where sources are empty."""
    table = table.drop(columns=list(LATENCY_COLUMNS), errors="ignore")
    return table.assign(latency_ms=charged / 1e6, latency_from=list(sources)) if any(sources) else table


def latency_words(row: pd.Series) -> tuple[str, str]:
    """Return the latency that a row was charged in milliseconds, and what tells it; two dashes where it was none."""
    if not np.isfinite(row.get("latency_ms", float("nan"))):
        return "-", "-"
    return f"{row['latency_ms']:.5g}", str(row["latency_from"])


def write_trained(path: Path, table: pd.DataFrame) -> None:
    """Write a table of trained cells."""
    write_table(path, SCHEMA, table)


def read_trained(path: Path) -> pd.DataFrame:
    """Read a table of trained cells; raises `DataError` when it is missing, foreign, or holds what is no cell."""
    table = read_table(path, SCHEMA)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise DataError(f"{path} has no column {missing[0]!r}: move it away and make it again")
    return table


def cells_of(table: pd.DataFrame, operation_names: Sequence[str], width: int) -> CellBatch:
    """Return the table's cells as a batch of the search space; raises `DataError` naming the wrong row."""
    cells = []
    for row, text in enumerate(table["cell"]):
        try:
            cells.append(Cell.from_json(text))
        except CellError as error:
            raise DataError(f"row {row} of the trained cells: {error}") from None
    return CellBatch.from_cells(cells, operation_names, width)


def best_row(table: pd.DataFrame) -> int:
    """Return the position of the highest measured score; raises `DataError` when every training failed."""
    scores = table["score"].to_numpy(dtype=float)
    if not np.isfinite(scores).any():
        raise DataError("no trained cell has a score: all trainings failed; lower proxy.learning_rate and run again")
    return int(np.nanargmax(scores))
