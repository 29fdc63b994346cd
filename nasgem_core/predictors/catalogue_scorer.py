"""Any predictor of the catalogue as the predictor of a search: from a cell to its score.

A predictor is not stored: it is fitted again from its training set, which gives the same one, so that it can be
anything.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.packing import pack_cells, unpack_cells
from nasgem_core.config.documents import DocumentKind, read_fields
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import DataError
from nasgem_core.predictors.fitting import CellPredictor, fit_kind
from nasgem_core.predictors.recipe import Pretrained
from nasgem_core.search.score import Measured
from nasgem_core.search.target import Target

SCHEMA = "nasgem.scorer/2"
_KIND = DocumentKind("a scorer", SCHEMA)


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """All that a predictor is fitted from.

    Args:
        kind: its name in the catalogue.
        cells: the N trained cells.
        measured: their accuracies and costs.
        space: what cells are drawn from.
        target: `score` or `accuracy`, see `nasgem_core.search.target`.
        pretrained: what `pretrain_kind` gave for this kind, space and seed.
        seed: of the reference cells and of the fit.
    """

    kind: str
    cells: CellBatch
    measured: Measured
    space: CellsConfig
    target: str
    pretrained: Pretrained
    seed: int

    def to_arrays(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return all arrays, and everything else as plain JSON values."""
        arrays = {"accuracy": self.measured.accuracy, "costs": self.measured.costs}
        arrays |= {f"cells.{name}": array for name, array in pack_cells(self.cells).items()}
        arrays |= {f"pretrained.{name}": array for name, array in self.pretrained.items()}
        plain = {name: getattr(self, name) for name in ("kind", "target", "seed")}
        document = {"schema": SCHEMA, "space": asdict(self.space), "penalty": self.measured.penalty, **plain}
        return arrays, document

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> "TrainingSet":
        """Read what `to_arrays` wrote; raises `DataError` when it is something else or incomplete."""
        values = _KIND.fields_of(metadata)
        parts: dict[str, dict[str, np.ndarray]] = {"cells": {}, "pretrained": {}}
        try:
            for name, array in arrays.items():
                group, _, rest = name.partition(".")
                if rest:
                    parts[group][rest] = array
            space = read_fields(CellsConfig, values["space"], "space")
            return cls(
                values["kind"],
                unpack_cells(parts["cells"], space.operations),
                Measured(arrays["accuracy"], arrays["costs"], values["penalty"]),
                space,
                values["target"],
                parts["pretrained"],
                values["seed"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"the scorer is incomplete or of another version: {error}") from None


@dataclass(frozen=True, eq=False)
class CatalogueScorer:
    """A predictor that was fitted to the target of trained cells."""

    predictor: CellPredictor
    target: Target

    @property
    def needs_costs(self) -> bool:
        """Whether `score` reads the costs."""
        return self.target.needs_costs

    def score(self, cells: CellBatch, costs: np.ndarray | None, penalty: float) -> np.ndarray:
        """Return the predicted efficiency scores, float32 [B]; see `Target.scores`."""
        return self.target.scores(self.predictor.predict(cells), costs, penalty)


def fit_catalogue_scorer(known: TrainingSet) -> CatalogueScorer:
    """Fit a predictor to trained cells, at least 4; an equal training set gives an equal scorer on one machine.

    Raises:
        DataError: a row is not finite, all targets are equal, or there are more operations than predictors read.
    """
    target, values = Target.of(known.target, known.measured)
    predictor = fit_kind(
        known.kind, known.cells, values, space=known.space, pretrained=known.pretrained, seed=known.seed
    )
    return CatalogueScorer(predictor, target)
