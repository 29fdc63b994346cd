"""What takes no thought: one-hot operations by vertex and the adjacency matrix, read by a standard regressor.

Vertices are numbered as the table writes its cells. A predictor that reads graphs is to beat all three: where labels
depend on the place of an operation these do well, and on graphs that can be drawn in many ways they do not.
"""

import warnings
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import RidgeCV

from nasgem_core.predictors.numbered import place_columns
from nasgem_core.predictors.predictor import normal_scores
from nasgem_core.predictors.recipe import Recipe
from nasgem_core.predictors.space import Space
from nasgem_core.seeding import derive_seed

_CHUNK = 8192
_LEARNED_ROWS = 1000
"""Length scale and noise of the process are learned on at most so many of the cells."""

Regressor = Callable[[np.ndarray, np.ndarray, int], Any]
"""From columns [N, C], targets [N] and a seed to a fitted regressor of scikit-learn."""


def boosting(columns: np.ndarray, targets: np.ndarray, seed: int) -> Any:
    """Return gradient boosting of 400 trees of depth 4."""
    model = GradientBoostingRegressor(
        n_estimators=400,
        learning_rate=0.05,
        max_depth=4,
        min_samples_leaf=3,
        subsample=0.7,
        max_features=0.3,
        random_state=seed,
    )
    return model.fit(columns, targets)


def process(columns: np.ndarray, targets: np.ndarray, seed: int) -> Any:
    """Return a Gaussian process whose squared exponential covariance has one length scale, learned with the noise."""
    few, typical = columns[:_LEARNED_ROWS], columns.shape[1] ** 0.5
    # Within these bounds no start of the optimiser ends at noise alone, which would rank nothing.
    scale, noise = RBF(typical, (0.1 * typical, 100 * typical)), WhiteKernel(0.1, (1e-6, 0.9))
    model = GaussianProcessRegressor(ConstantKernel(1.0) * scale + noise, n_restarts_optimizer=2, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a length scale or noise at its bound is as good as any
        model.fit(few, targets[:_LEARNED_ROWS])
    if len(few) == len(columns):
        return model
    return GaussianProcessRegressor(model.kernel_, optimizer=None).fit(columns, targets)


def ridge(columns: np.ndarray, targets: np.ndarray, seed: int) -> Any:
    """Return ridge regression, its penalty chosen by leaving cells out; the seed is not read."""
    return RidgeCV(np.logspace(-2, 4, 19)).fit(columns, targets)


class OneHot:
    """A regressor on the columns of numbered vertices."""

    def __init__(self, space: Space, regressor: Regressor) -> None:
        self._space, self._regressor = space, regressor

    def fit(self, rows: np.ndarray, labels: np.ndarray, seed: int) -> Self:
        """Fit to the normal scores of the labels; see `Predictor.fit`."""
        targets = normal_scores(rows, labels)
        columns = self._columns(self._space, rows)
        self._varied = columns.std(0) > 0
        self._model = self._regressor(columns[:, self._varied], targets, derive_seed(seed, "one-hot") % 2**32)
        return self

    def predict(self, rows: np.ndarray, space: Space | None = None) -> np.ndarray:
        """Return scores, float64 [rows]; see `Predictor.predict`."""
        parts = [np.empty(0)]
        for start in range(0, len(rows), _CHUNK):
            columns = self._columns(space or self._space, rows[start : start + _CHUNK])
            parts.append(self._model.predict(columns[:, self._varied]))
        return np.concatenate(parts)

    @staticmethod
    def _columns(space: Space, rows: np.ndarray) -> np.ndarray:
        """Return the columns [rows, C], of vertices as they are laid out where the space has no other numbers."""
        cells = space.cells if space.numbered is None else space.numbered
        return place_columns(cells[rows])


BOOSTING = Recipe(build=lambda space, *_: OneHot(space, boosting))
PROCESS = Recipe(build=lambda space, *_: OneHot(space, process))
RIDGE = Recipe(build=lambda space, *_: OneHot(space, ridge))
