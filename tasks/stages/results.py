"""All results of the stages of a search, read together: what reports and the command line show."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import SearchConfig
from tasks.stages.best_cell import BEST_CELL_FILE, best_cell_file, not_trained, read_best_cell, read_searched_cell
from tasks.stages.trained import BASELINE, BOOTSTRAP_FILE, COLUMNS, ESTIMATOR_FILE, TrainedCells, read_trained
from tasks.store.artifacts import METRICS, read_json, write_json

if TYPE_CHECKING:
    from nasgem_core.encoders.fitted import FittedEncoder

SELECTED_FILE = Path(".nasgem") / "selected.json"
SELECTED_SCHEMA = "nasgem.selected/1"
_FROM = "_from"
"""End of the name of a column that says where the costs in another column come from."""


@dataclass
class Results:
    """The results in `data/` of a search with these parameters."""

    config: SearchConfig

    @cached_property
    def trained(self) -> TrainedCells:
        """All trained cells; a cell that both search and baseline trained is there twice."""
        space = self.config.cells
        files = (ESTIMATOR_FILE, BOOTSTRAP_FILE)
        return TrainedCells.concatenate([read_trained(file, space.operations, space.vertices) for file in files])

    @cached_property
    def searched(self) -> TrainedCells:
        """The cells that the search trained, in order."""
        return self.trained[self.trained.origin != BASELINE]

    @cached_property
    def baseline(self) -> TrainedCells:
        """The cells of random search, in order."""
        return self.trained[self.trained.origin == BASELINE]

    @cached_property
    def distinct(self) -> TrainedCells:
        """Every trained cell once."""
        return self.trained.distinct

    @cached_property
    def best(self) -> dict[str, Any]:
        """The chosen cell and its first training as plain values."""
        return self._row_of(self.best_cell, best_cell_file())

    @cached_property
    def searched_best(self) -> dict[str, Any]:
        """The same of the search's choice, which is another cell where finalists were compared after it."""
        return self._row_of(read_searched_cell(), BEST_CELL_FILE)

    def _row_of(self, chosen: Cell, path: Path) -> dict[str, Any]:
        for place, cell in enumerate(self.searched.cells):
            if cell == chosen:
                return self.searched.row(place)
        raise not_trained(path)

    @cached_property
    def best_cell(self) -> Cell:
        """The chosen cell."""
        return read_best_cell()

    @cached_property
    def encoders(self) -> "dict[str, FittedEncoder]":
        """The guided encoder and the plain one."""
        from tasks.stages.encoder import (  # with Torch and Prefect, of which `show` has no need
            GUIDED,
            PLAIN,
            read_encoder,
        )

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


def best_cells_table(trained: TrainedCells, count: int = 10) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the best measured cells, with the columns of the objective where it has some."""
    return cells_table(trained.ranked[:count])


def cells_table(ranked: TrainedCells, expected: np.ndarray | None = None) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of cells in their order, with the scores that are expected of them if these are given."""
    added = list(ranked.columns)
    header = ["rank", "cell", *([] if expected is None else ["expected score"]), "score", "accuracy"]
    header += [*map(column_words, added), "MACs M", "params k", "vertices", "found by"]
    sizes = ranked.cells.num_vertices
    rows = [
        [
            str(rank),
            row["key"][:8],
            *([] if expected is None else [number_text(expected[rank - 1])]),
            f"{row['score']:.4f}",
            f"{row['accuracy']:.4f}",
            *(cost_text(row[name]) for name in added),
            f"{row['macs'] / 1e6:.3f}",
            f"{row['params'] / 1e3:.1f}",
            str(size),
            found_by(row),
        ]
        for rank, (row, size) in enumerate(zip(ranked.rows(), sizes, strict=True), start=1)
    ]
    return header, rows


def finalists_table(summary: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the cells that were trained again to choose among them, from the metrics of the choice.

    There are no rows where single trainings decided.
    """
    rows = [
        [
            row["key"][:8],
            number_text(row["mean_score"]),
            str(row["trainings"]),
            "chosen" if row["chosen"] else "",
            found_by(row),
        ]
        for row in summary.get("finalists", [])
    ]
    return ["cell", "mean score", "trainings", "", "found by"], rows


def estimate_text(summary: Mapping[str, Any], name: str, *, sign: str = "") -> str:
    """Return an estimate among the metrics of the choice with its 95 % interval, such as "0.4730 +- 0.0052"."""
    return f"{number_text(summary[name], sign)} +- {number_text(summary[name + '_half_width'])}"


def number_text(value: float | None, sign: str = "") -> str:
    """Return a score as text, a dash where it is not known; the sign "+" marks positive ones."""
    return "-" if value is None else f"{value:{sign}.4f}"


def column_words(name: str) -> str:
    """Return the header of a column of an objective: "latency_ms" is "latency ms"."""
    return name.replace("_", " ")


def cost_text(value: Any) -> str:
    """Return a value in a column of an objective as text, a dash where there is none."""
    if isinstance(value, str):
        return value or "-"
    return f"{value:.5g}" if np.isfinite(value) else "-"


def charged_words(row: Mapping[str, Any]) -> dict[str, str]:
    """Return what a cell was charged, where that has columns of its own: {"latency": "2.5 ms, from the model"}."""
    words = {}
    for name in row:
        if name not in COLUMNS and not name.endswith(_FROM) and cost_text(row[name]) != "-":
            label, _, unit = name.rpartition("_")
            source = row.get(label + _FROM)
            words[label] = f"{cost_text(row[name])} {unit}" + (f", from the {source}" if source else "")
    return words


def found_by(row: Mapping[str, Any]) -> str:
    """Return in words where a cell came from."""
    return f"{row['origin']}, round {row['round']}" if row["origin"] in ("random", "predicted") else str(row["origin"])
