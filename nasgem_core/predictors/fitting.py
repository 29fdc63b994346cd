"""Predictors fitted to cells and labels of any kind: cells in, predicted labels out.

A predictor of the catalogue ranks the cells of a `Space` by scores that give their order only. Here features are
standardised and encoders pre-trained on cells drawn from a search space, whatever was labelled, so that any cell can be
predicted, and a straight line makes labels of the scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import DataError
from nasgem_core.predictors.catalogue import PREDICTORS
from nasgem_core.predictors.features.cell_features import cell_features
from nasgem_core.predictors.notation import Notation, free_notation, lay_out
from nasgem_core.predictors.predictor import Predictor
from nasgem_core.predictors.recipe import Pretrained
from nasgem_core.predictors.relevances import Relevances
from nasgem_core.predictors.space import Space, Standard

_REFERENCE = 4096
"""Cells drawn from the search space, for all that needs no label."""
_LEAST_SLOPE = 1e-6
"""Keeps the order of a predictor that ranks even the cells it learned from no better than chance."""
_FEWEST = 4
"""Labelled cells that a predictor needs."""


@dataclass(frozen=True, eq=False)
class CellPredictor:
    """A fitted predictor, and the line from its scores to labels, of least squares over the labelled cells.

    Args:
        predictor: fitted on the labelled cells.
        notation: how it reads cells.
        standard: of the features that it reads.
        slope: of the line, above 0.
        intercept: of the line.
    """

    predictor: Predictor
    notation: Notation
    standard: Standard
    slope: float
    intercept: float

    def predict(self, cells: CellBatch | Sequence[Cell]) -> np.ndarray:
        """Return the predicted label of each of B cells, in the unit of the labels that it was fitted to, [B].

        Raises:
            DataError: a cell has an operation that the space of the labelled cells does not have.
        """
        batch = cells if isinstance(cells, CellBatch) else CellBatch.from_cells(cells)
        features = Space.build(batch, self.notation, standard=self.standard)
        return self.slope * self.predictor.predict(np.arange(len(batch)), features) + self.intercept


def fit_predictor(
    cells: CellBatch | Sequence[Cell],
    labels: Sequence[float] | np.ndarray,
    *,
    kind: str = "gaussian_process",
    space: CellsConfig | None = None,
    seed: int = 0,
) -> CellPredictor:
    """Fit a predictor to your own labels of some cells, such as measured accuracies.

    Args:
        cells: N labelled cells, at least 4.
        labels: [N], in any unit; larger is better.
        kind: the predictor's name, one of `nasgem_core.predictors.catalogue.PREDICTORS`.
        space: the search space of these cells and of those to predict; by default one with as many vertices as the
            largest of these cells, and with their operations.
        seed: of the random cells of the space and of the fit.

    Raises:
        CellError: a cell is not of the space.
        DataError: there is not one finite label per cell, all are equal, or there are fewer than 4 cells.
        ParameterError: there is no predictor of that name.
    """
    listed, values = list(cells), np.asarray(labels, dtype=np.float64)
    if values.shape != (len(listed),) or len(listed) < _FEWEST:
        raise DataError(
            f"labels has shape {values.shape} for {len(listed)} cells: give one for each of at least {_FEWEST} cells"
        )
    space = space or _space_of(listed)
    batch = CellBatch.from_cells(listed, space.operations, space.vertices)
    return fit_kind(kind, batch, values, space=space, pretrained=pretrain_kind(kind, space, seed), seed=seed)


def _space_of(cells: Sequence[Cell]) -> CellsConfig:
    operations = sorted({name for cell in cells for name in cell.operations[1:]})
    return CellsConfig(vertices=max(cell.num_vertices for cell in cells), operations=tuple(operations))


def pretrain_kind(kind: str, space: CellsConfig, seed: int) -> dict[str, np.ndarray]:
    """Return what a predictor of this kind knows before any label: flat arrays, none for most kinds."""
    recipe = PREDICTORS.get(kind)
    if recipe.pretrain is None:
        return {}
    reference = sample_cells(space, _REFERENCE, seed)
    return recipe.pretrain(Space.build(reference, free_notation(space.operations)), seed)


def fit_kind(
    kind: str, cells: CellBatch, values: np.ndarray, *, space: CellsConfig, pretrained: Pretrained, seed: int
) -> CellPredictor:
    """Fit a predictor to values [N] of cells; equal arguments give an equal one on one machine.

    Args:
        kind: its name in the catalogue.
        cells: N cells.
        values: float64 [N].
        space: what the reference cells are drawn from.
        pretrained: what `pretrain_kind` gave for this kind, space and seed.
        seed: of the reference cells and of the fit.

    Raises:
        DataError: a value is not finite, all are equal, or there are more operations than predictors read.
    """
    notation, known = free_notation(space.operations), np.arange(len(cells))
    reference = sample_cells(space, _REFERENCE, seed)
    standard = Standard.of(cell_features(lay_out(reference, notation), notation))
    features = Space.build(CellBatch.concatenate([cells, reference]), notation, standard=standard)
    predictor = PREDICTORS.get(kind).build(features, pretrained, Relevances())
    raw = predictor.fit(known, values, seed).predict(known).astype(np.float64)
    slope = max(float(np.cov(raw, values, bias=True)[0, 1] / (raw.var() or 1.0)), _LEAST_SLOPE)
    return CellPredictor(predictor, notation, standard, slope, float(values.mean() - slope * raw.mean()))
