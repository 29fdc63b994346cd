"""Trained cells: what was measured of each, where it came from, and what had been predicted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import CellError, DataError
from nasgem_core.search.objective import Objective
from nasgem_core.search.score import Measured
from tasks.store.artifacts import DATA, read_table, write_table

SCHEMA = "nasgem.trained_cells/1"
ESTIMATOR_FILE = DATA / "estimator" / "cells.parquet"
BOOTSTRAP_FILE = DATA / "bootstrap" / "cells.parquet"
REPEATS_FILE = DATA / "bootstrap" / "repeats.parquet"
"""Trainings of cells that had been trained before: of finalists, and of chosen cells after the choice."""
KNOWN, RANDOM, PREDICTED, TOP, BASELINE = "known", "random", "predicted", "bootstrap top", "random search"
"""Where a cell came from: known blocks, a random draw, the predictor's pick, bootstrap optimisation, the baseline.

The name of a block follows: "known: MobileNetV1"."""
_TYPES: dict[str, Any] = {
    "key": object,
    "cell": object,
    "origin": object,
    "round": np.int64,
    "predicted": np.float64,
    "accuracy": np.float64,
    "score": np.float64,
    "macs": np.int64,
    "params": np.int64,
    "failed": bool,
    "reason": object,
}
COLUMNS = tuple(_TYPES)
"""Columns of the file; those of the objective follow."""


@dataclass(frozen=True, eq=False)
class TrainedCells:
    """N trained cells, in the order of training. A file of them is read and written at the edge of a stage.

    Args:
        cells: in canonical form.
        key: object [N], canonical keys.
        origin: object [N], where each came from.
        round: int64 [N].
        predicted: float64 [N], scores as predicted before training, NaN where they were not.
        accuracy: float64 [N], proxy accuracies as fractions, NaN where a training failed.
        score: float64 [N], NaN where a training failed.
        macs: int64 [N], of the proxy networks, whatever the score charges.
        params: int64 [N], of the proxy networks.
        failed: bool [N].
        reason: object [N], why a training failed, empty otherwise.
        columns: [N] each, what the objective adds: see `Objective.columns`.
    """

    cells: CellBatch
    key: np.ndarray
    origin: np.ndarray
    round: np.ndarray
    predicted: np.ndarray
    accuracy: np.ndarray
    score: np.ndarray
    macs: np.ndarray
    params: np.ndarray
    failed: np.ndarray
    reason: np.ndarray
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.key)

    def __getitem__(self, index: Any) -> "TrainedCells":
        """Return the selected cells (slice, index array or mask)."""
        arrays = {name: array[index] for name, array in self._arrays().items()}
        columns = {name: column[index] for name, column in self.columns.items()}
        return replace(self, cells=self.cells[index], columns=columns, **arrays)

    @classmethod
    def of(
        cls,
        cells: CellBatch,
        results: Sequence[Mapping[str, Any]],
        objective: Objective,
        *,
        origin: str | Sequence[str],
        number: int = 0,
        predicted: np.ndarray | None = None,
    ) -> "TrainedCells":
        """Return cells with the results of their trainings, scored by an objective.

        Args:
            cells: N cells in canonical form.
            results: what `train_proxy` gave for each.
            objective: what the score charges.
            origin: where they came from, in one word for all or one for each.
            number: the round.
            predicted: [N] scores predicted before training, if there are any.
        """
        count, complexity = len(cells), objective.networks.complexity(cells)
        failed = np.array([bool(result["failed"]) for result in results], dtype=bool)
        accuracy = np.array([np.nan if r["failed"] else float(r["accuracy"]) for r in results], dtype=np.float64)
        score, known = np.full(count, np.nan), np.isfinite(accuracy)
        score[known] = objective.score(accuracy[known], objective.costs(cells)[known])
        return cls(
            cells,
            key=np.array(cells.keys, dtype=object),
            origin=_one_for_each(origin, count),
            round=np.full(count, number, dtype=np.int64),
            predicted=np.full(count, np.nan) if predicted is None else np.asarray(predicted, dtype=np.float64),
            accuracy=accuracy,
            score=score,
            macs=complexity.macs,
            params=complexity.params,
            failed=failed,
            reason=np.array([str(result["reason"]) for result in results], dtype=object),
            columns=objective.columns(cells),
        )

    @classmethod
    def none(cls, space: CellsConfig) -> "TrainedCells":
        """Return no cells of a search space."""
        empty = {name: np.empty(0, dtype=kind) for name, kind in _TYPES.items() if name != "cell"}
        return cls(CellBatch.from_cells([], space.operations, space.vertices), columns={}, **empty)

    @classmethod
    def concatenate(cls, parts: Sequence["TrainedCells"]) -> "TrainedCells":
        """Join trained cells of one search space, in order; a part has NaN or "" in columns that others have."""
        names = dict.fromkeys(name for part in parts for name in part.columns)
        arrays = [part._arrays() for part in parts]
        return cls(
            CellBatch.concatenate([part.cells for part in parts]),
            **{name: np.concatenate([array[name] for array in arrays]) for name in arrays[0]},
            columns={name: np.concatenate([_column(part, name, parts) for part in parts]) for name in names},
        )

    @property
    def usable(self) -> "TrainedCells":
        """Return the cells whose training succeeded."""
        return self[~self.failed]

    @property
    def distinct(self) -> "TrainedCells":
        """Return each cell once, where it comes first."""
        return self[np.sort(np.unique(self.key.astype(str), return_index=True)[1])]

    @property
    def ranked(self) -> "TrainedCells":
        """Return the cells with a score, best first."""
        scored = self[np.isfinite(self.score)]
        return scored[np.argsort(-scored.score, kind="stable")]

    @property
    def kinds(self) -> np.ndarray:
        """Return the origins without the names that follow them, object [N]."""
        return np.array([origin.partition(":")[0] for origin in self.origin], dtype=object)

    @property
    def best(self) -> int:
        """Return the position of the highest score; raises `DataError` where every training failed."""
        if not np.isfinite(self.score).any():
            raise DataError(
                "no trained cell has a score: all trainings failed; lower proxy.learning_rate and run again"
            )
        return int(np.nanargmax(self.score))

    def scored_by(self, objective: Objective) -> "TrainedCells":
        """Return the cells with the scores and the columns of another objective; a failed one has no score."""
        score = np.full(len(self), np.nan)
        score[~self.failed] = objective.score(self.accuracy[~self.failed], objective.costs(self.cells)[~self.failed])
        return replace(self, score=score, columns=objective.columns(self.cells))

    def measured(self, objective: Objective) -> Measured:
        """Return accuracies and costs, for predictors."""
        return objective.measured(self.cells, self.accuracy)

    def row(self, index: int) -> dict[str, Any]:
        """Return one cell as plain values, by the names of the columns of the file."""
        row = {name: array[index] for name, array in {**self._arrays(), **self.columns}.items()}
        row = {name: value.item() if isinstance(value, np.generic) else value for name, value in row.items()}
        return {"key": row.pop("key"), "cell": self.cells.cell(index).to_json(), **row}

    def rows(self) -> list[dict[str, Any]]:
        """Return all cells as plain values."""
        return [self.row(index) for index in range(len(self))]

    def _arrays(self) -> dict[str, np.ndarray]:
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name in _TYPES}


def _one_for_each(words: str | Sequence[str], count: int) -> np.ndarray:
    return np.array([words] * count if isinstance(words, str) else list(words), dtype=object)


def _column(part: TrainedCells, name: str, parts: Sequence[TrainedCells]) -> np.ndarray:
    if name in part.columns:
        return part.columns[name]
    numeric = all(other.columns[name].dtype != object for other in parts if name in other.columns)
    return np.full(len(part), np.nan) if numeric else np.full(len(part), "", dtype=object)


def write_trained(path: Path, trained: TrainedCells) -> None:
    """Write trained cells as a table."""
    names = [*COLUMNS, *trained.columns]
    types = {**_TYPES, **{name: column.dtype for name, column in trained.columns.items()}}
    write_table(path, SCHEMA, pd.DataFrame(trained.rows(), columns=names).astype(types))


def read_trained(path: Path, operation_names: Sequence[str] | None = None, vertices: int | None = None) -> TrainedCells:
    """Read trained cells, by default with the operations that they have and room for the largest.

    Raises:
        DataError: the file is missing, foreign or holds something that is no cell.
    """
    table = read_table(path, SCHEMA)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise DataError(f"{path} has no column {missing[0]!r}: move it away and make it again")
    cells = []
    for number, text in enumerate(table["cell"]):
        try:
            cells.append(Cell.from_json(text))
        except CellError as error:
            raise DataError(f"{path}, row {number}: {error}") from None
    arrays = {name: table[name].to_numpy(dtype=kind) for name, kind in _TYPES.items() if name != "cell"}
    columns = {str(name): table[name].to_numpy() for name in table.columns if name not in COLUMNS}
    return TrainedCells(CellBatch.from_cells(cells, operation_names, vertices), **arrays, columns=columns)
