"""A process that sees which vertex is which by its number, for tables whose labels depend on more than the graph.

It reads what each numbered vertex does and which numbered vertices are joined, as the table writes its cells, next to
the Weisfeiler-Lehman similarities. Where numbers mean nothing it predicts worse than the processes on the graph, which
shows in the labelled cells alone (`nasgem_core.predictors.ensemble`).
"""

from typing import Self

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import FIRST_OPERATION_CODE
from nasgem_core.errors import DataError
from nasgem_core.predictors.gp import GaussianProcess
from nasgem_core.predictors.predictor import normal_scores
from nasgem_core.predictors.relevances import Relevances
from nasgem_core.predictors.space import Space, Standard

_COVARIANCE = "rational_quadratic"
"""The other covariances take several times as long to learn."""
_LEARNED_ROWS = 500
"""Its few groups need fewer labels than those of the features."""
_MOST_COLUMNS = 1000
_CHUNK = 8192


def is_readable(space: Space) -> bool:
    """Say whether the vertices of a space are numbered, and few enough."""
    return space.numbered is not None and len(_names(space.numbered)) <= _MOST_COLUMNS


class NumberedProcess:
    """The posterior mean of a process on numbered vertices.

    Raises:
        DataError: the vertices of the space are not numbered, or too many.
    """

    def __init__(self, space: Space) -> None:
        if not is_readable(space):
            raise DataError(f"the cells have no numbered vertices, or more than {_MOST_COLUMNS} columns: leave it out")
        self._space = space

    def fit(self, rows: np.ndarray, labels: np.ndarray, seed: int) -> Self:
        """Learn from the normal scores of the labels; see `Predictor.fit`. Nothing is drawn: the seed is not read."""
        values = normal_scores(rows, labels)
        cells = _numbered(self._space)
        self._standard = Standard.of(place_columns(cells[rows]))
        known = self._read(self._space, rows)
        self._process = GaussianProcess(known, _COVARIANCE, Relevances(), learned_rows=_LEARNED_ROWS)
        self._process.regress(np.arange(len(rows)), values)
        return self

    def left_out(self) -> np.ndarray:
        """Return what is predicted of each labelled cell from all others; see `GaussianProcess.left_out`."""
        return self._process.left_out()

    def predict(self, rows: np.ndarray, space: Space | None = None) -> np.ndarray:
        """Return the posterior means, float32 [rows]; see `Predictor.predict`."""
        parts = [np.empty(0, dtype=np.float32)]
        for start in range(0, len(rows), _CHUNK):
            part = self._read(space or self._space, rows[start : start + _CHUNK])
            parts.append(self._process.predict(np.arange(len(part)), part))
        return np.concatenate(parts)

    def _read(self, space: Space, rows: np.ndarray) -> Space:
        cells = _numbered(space)[rows]
        names = _names(cells)
        features = self._standard.apply(place_columns(cells))
        return Space(space.cells[rows], features, tuple(names[i] for i in self._standard.kept))


def _numbered(space: Space) -> CellBatch:
    if space.numbered is None:
        raise DataError("the cells to predict have no numbered vertices, and those of the fit have")
    return space.numbered


def _names(cells: CellBatch) -> list[str]:
    operations = range(len(cells.operation_names))
    vertices = [f"vertex:{v}-{o}" for v in range(1, cells.width) for o in operations]
    return vertices + [f"link:{u}-{v}" for u, v in zip(*np.triu_indices(cells.width, 1), strict=True)]


def place_columns(cells: CellBatch) -> np.ndarray:
    """Return what each numbered vertex does and which of them are joined, float32 [B, columns] of 0 and 1."""
    codes = np.arange(len(cells.operation_names)) + FIRST_OPERATION_CODE
    does = (cells.codes[:, 1:, None] == codes).reshape(len(cells), -1)
    links = cells.adjacency[:, *np.triu_indices(cells.width, 1)]
    return np.concatenate([does, links], axis=1).astype(np.float32)
