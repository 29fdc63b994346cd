"""A Gaussian process as the predictor of a search: from a cell's analytic features and subtrees to its score.

Features are standardised over cells drawn from the search space, whatever was trained.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.packing import pack_cells, unpack_cells
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.documents import DocumentKind
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import DataError
from nasgem_core.predictors.features.cell_features import cell_features
from nasgem_core.predictors.gp import GaussianProcess
from nasgem_core.predictors.notation import free_notation, lay_out
from nasgem_core.predictors.relevances import Relevances
from nasgem_core.predictors.space import Space, Standard
from nasgem_core.search.score import Measured
from nasgem_core.search.target import Target

SCHEMA = "nasgem.process/2"
_KIND = DocumentKind("a process", SCHEMA)
_COVARIANCE = "arc_cosine"
_REFERENCE = 4096
"""Cells that features are standardised over."""
_WEIGHT = "weight."
"""Start of the names of what was learned, among the arrays."""


@dataclass(frozen=True, eq=False)
class ProcessScorer:
    """A process conditioned on trained cells.

    Args:
        cells: the N trained cells.
        values: float64 [N], their standardised targets.
        target: what the values are.
        standard: of the features.
        process: fitted on the cells in the space that `standard` makes of them.
    """

    cells: CellBatch
    values: np.ndarray
    target: Target
    standard: Standard
    process: GaussianProcess

    @property
    def needs_costs(self) -> bool:
        """Whether `score` reads the costs."""
        return self.target.needs_costs

    def score(self, cells: CellBatch, costs: np.ndarray | None, penalty: float) -> np.ndarray:
        """Return the predicted efficiency scores, float32 [B]; see `Target.scores`."""
        raw = self.process.predict(np.arange(len(cells)), _features(cells, self.standard))
        return self.target.scores(raw, costs, penalty)

    def to_arrays(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return all arrays, and everything else as plain JSON values."""
        arrays = {"values": self.values}
        arrays |= {f"cells.{name}": array for name, array in pack_cells(self.cells).items()}
        arrays |= {f"standard.{name}": array for name, array in vars(self.standard).items()}
        arrays |= {_WEIGHT + name: weight.numpy() for name, weight in self.process.weights.items()}
        document = {"schema": SCHEMA, "operations": list(self.cells.operation_names), "target": asdict(self.target)}
        return arrays, document

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> "ProcessScorer":
        """Read what `to_arrays` wrote; raises `DataError` when it is another predictor or incomplete."""
        values = _KIND.fields_of(metadata)
        parts: dict[str, dict[str, np.ndarray]] = {"cells": {}, "standard": {}, "weight": {}}
        try:
            for name, array in arrays.items():
                group, _, rest = name.partition(".")
                if rest:
                    parts[group][rest] = array
            cells = unpack_cells(parts["cells"], tuple(values["operations"]))
            standard, target = Standard(**parts["standard"]), Target(**values["target"])
            weights = {name: torch.from_numpy(np.array(array)) for name, array in parts["weight"].items()}
            process = _process(_features(cells, standard)).condition(np.arange(len(cells)), arrays["values"], weights)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise DataError(f"the process is incomplete or of another version: {error}") from None
        return cls(cells, arrays["values"], target, standard, process)


def fit_process(cells: CellBatch, measured: Measured, space: CellsConfig, target: str, seed: int) -> ProcessScorer:
    """Fit a process to trained cells.

    Args:
        cells: N trained cells, at least 4.
        measured: their accuracies and costs.
        space: what the reference cells are drawn from.
        target: `score` or `accuracy`, see `nasgem_core.search.target`.
        seed: of the reference cells.

    Raises:
        DataError: a row is not finite, or the space has more operations than features can tell apart.
    """
    goal, values = Target.of(target, measured)
    reference = sample_cells(space, _REFERENCE, seed)
    notation = free_notation(reference.operation_names)
    standard = Standard.of(cell_features(lay_out(reference, notation), notation))
    process = _process(_features(cells, standard)).regress(np.arange(len(cells)), values)
    return ProcessScorer(cells, values, goal, standard, process)


def _features(cells: CellBatch, standard: Standard) -> Space:
    return Space.build(cells, free_notation(cells.operation_names), standard=standard)


def _process(features: Space) -> GaussianProcess:
    return GaussianProcess(features, _COVARIANCE, Relevances())
