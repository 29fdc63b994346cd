"""All that the stages of a search have left behind, read together: what reports and the command line show."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import SearchConfig
from nasgem_core.encoders.fitted import FittedEncoder
from tasks.stages.encoder import GUIDED, PLAIN, read_encoder
from tasks.stages.trained import (
    BASELINE,
    BOOTSTRAP_FILE,
    ESTIMATOR_FILE,
    best_row,
    cells_of,
    latency_words,
    read_trained,
)
from tasks.store.artifacts import METRICS, read_json, write_json

SELECTED_FILE = Path(".nasgem") / "selected.json"
SELECTED_SCHEMA = "nasgem.selected/1"


@dataclass
class Results:
    """The results in `data/` of a search with these parameters."""

    config: SearchConfig

    @cached_property
    def trained(self) -> pd.DataFrame:
        """All trained cells; a cell that search and baseline both trained stands twice, once for each."""
        return pd.concat([read_trained(ESTIMATOR_FILE), read_trained(BOOTSTRAP_FILE)], ignore_index=True)

    @property
    def searched(self) -> pd.DataFrame:
        """The cells that the search trained, in order."""
        return self.trained[self.trained["origin"] != BASELINE].reset_index(drop=True)

    @property
    def baseline(self) -> pd.DataFrame:
        """The cells of random search, in order."""
        return self.trained[self.trained["origin"] == BASELINE].reset_index(drop=True)

    @property
    def distinct(self) -> pd.DataFrame:
        """Every trained cell once."""
        return self.trained.drop_duplicates("key").reset_index(drop=True)

    @property
    def best(self) -> pd.Series:
        """The chosen cell's row: the best measured score of the search."""
        return self.searched.iloc[best_row(self.searched)]

    @property
    def best_cell(self) -> Cell:
        """The chosen cell."""
        return Cell.from_json(self.best["cell"])

    def batch(self, table: pd.DataFrame) -> CellBatch:
        """Return a table's cells as a batch of the search space."""
        return cells_of(table, self.config.cells.operations, self.config.cells.vertices)

    @cached_property
    def encoders(self) -> dict[str, FittedEncoder]:
        """The guided encoder and the plain one."""
        return {kind: read_encoder(kind) for kind in (GUIDED, PLAIN)}

    def metrics(self, stage: str) -> dict[str, Any]:
        """Return the metrics file of a stage."""
        return read_json(METRICS / f"{stage}.json", "nasgem.metrics/1")


def write_selected(cells: list[Cell]) -> None:
    """Keep the untrained cells that a selection lists, so that they can be shown by their keys."""
    write_json(SELECTED_FILE, SELECTED_SCHEMA, {"cells": [cell.to_dict() for cell in cells]})


def read_selected() -> list[Cell]:
    """Return the untrained cells that were listed last."""
    if not SELECTED_FILE.exists():
        return []
    return [Cell.from_dict(document) for document in read_json(SELECTED_FILE, SELECTED_SCHEMA)["cells"]]


def best_cells_table(table: pd.DataFrame, count: int = 10) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the best measured cells; with their latencies where the score charged these."""
    charged = "latency_ms" in table
    latency = ["latency ms", "told by"] if charged else []
    header = ["rank", "cell", "score", "accuracy", *latency, "MACs M", "params k", "vertices", "found by"]
    ranked = table[np.isfinite(table["score"])].sort_values("score", ascending=False, kind="stable").head(count)
    rows = []
    for rank, (_, row) in enumerate(ranked.iterrows(), start=1):
        cell = Cell.from_json(row["cell"])
        rows.append(
            [
                str(rank),
                row["key"][:8],
                f"{row['score']:.4f}",
                f"{row['accuracy']:.4f}",
                *(latency_words(row) if charged else ()),
                f"{row['macs'] / 1e6:.3f}",
                f"{row['params'] / 1e3:.1f}",
                str(cell.num_vertices),
                found_by(row),
            ]
        )
    return header, rows


def found_by(row: pd.Series) -> str:
    """Return in words where a cell came from."""
    return f"{row['origin']}, round {row['round']}" if row["origin"] in ("random", "predicted") else str(row["origin"])
