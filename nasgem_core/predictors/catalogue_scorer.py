"""Any predictor of the catalogue as the predictor of a search: from a cell to its score.

Features are standardised, encoders pre-trained and scores of members compared over cells drawn from the search space,
whatever was trained. A predictor is not stored: it is fitted again from its training set, which gives the same one, so
that it can be anything.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.packing import pack_cells, unpack_cells
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.documents import DocumentKind, read_fields
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import DataError
from nasgem_core.predictors.catalogue import PREDICTORS
from nasgem_core.predictors.features.cell_features import cell_features
from nasgem_core.predictors.notation import free_notation, lay_out
from nasgem_core.predictors.predictor import Predictor
from nasgem_core.predictors.recipe import Pretrained
from nasgem_core.predictors.relevances import Relevances
from nasgem_core.predictors.space import Space, Standard
from nasgem_core.search.score import Measured
from nasgem_core.search.target import Target

SCHEMA = "nasgem.scorer/2"
_KIND = DocumentKind("a scorer", SCHEMA)
_REFERENCE = 4096
"""Cells drawn from the space, for all that needs no label."""
_LEAST_SLOPE = 1e-6
"""Keeps the order of a predictor that ranks even the cells it learned from no better than chance."""


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
    """A fitted predictor, and the straight line from its scores to those of the search.

    A predictor's scores give the order only; slope and intercept are those of least squares over the trained cells.
    """

    predictor: Predictor
    standard: Standard
    target: Target
    slope: float
    intercept: float

    @property
    def needs_costs(self) -> bool:
        """Whether `score` reads the costs."""
        return self.target.needs_costs

    def score(self, cells: CellBatch, costs: np.ndarray | None, penalty: float) -> np.ndarray:
        """Return the predicted efficiency scores, float32 [B]; see `Target.scores`."""
        features = Space.build(cells, free_notation(cells.operation_names), standard=self.standard)
        raw = self.predictor.predict(np.arange(len(cells)), features)
        return self.target.scores(self.slope * raw + self.intercept, costs, penalty)


def pretrain_kind(kind: str, space: CellsConfig, seed: int) -> dict[str, np.ndarray]:
    """Return what a predictor of this kind knows before any label: flat arrays, none for most kinds."""
    recipe = PREDICTORS.get(kind)
    if recipe.pretrain is None:
        return {}
    reference = sample_cells(space, _REFERENCE, seed)
    return recipe.pretrain(Space.build(reference, free_notation(space.operations)), seed)


def fit_catalogue_scorer(known: TrainingSet) -> CatalogueScorer:
    """Fit a predictor to trained cells, at least 4; an equal training set gives an equal scorer on one machine.

    Raises:
        DataError: a row is not finite, all targets are equal, or there are more operations than predictors read.
    """
    target, values = Target.of(known.target, known.measured)
    notation, trained = free_notation(known.space.operations), np.arange(len(known.cells))
    reference = sample_cells(known.space, _REFERENCE, known.seed)
    standard = Standard.of(cell_features(lay_out(reference, notation), notation))
    features = Space.build(CellBatch.concatenate([known.cells, reference]), notation, standard=standard)
    predictor = PREDICTORS.get(known.kind).build(features, known.pretrained, Relevances())
    raw = predictor.fit(trained, values, known.seed).predict(trained).astype(np.float64)
    slope = max(float(np.cov(raw, values, bias=True)[0, 1] / (raw.var() or 1.0)), _LEAST_SLOPE)
    return CatalogueScorer(predictor, standard, target, slope, float(values.mean() - slope * raw.mean()))
