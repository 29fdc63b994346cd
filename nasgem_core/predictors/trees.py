"""Gradient-boosted regression trees (Friedman 2001) on the analytic features.

Each tree sees a random part of the labelled cells and each split a tenth of the features: with hundreds of related
features and as few labels, that is what keeps the trees apart.
"""

from typing import Self

import numpy as np
from sklearn.ensemble import GradientBoostingRegressor

from nasgem_core.predictors.forest import Forest
from nasgem_core.predictors.predictor import normal_scores
from nasgem_core.predictors.recipe import Recipe
from nasgem_core.predictors.space import Space
from nasgem_core.seeding import derive_seed

_LARGE_TREES_AT = 1000
"""Labels from which larger trees, and more of them, pay."""


class BoostedTrees:
    """The mean of `members` boosted ensembles that differ in their seed."""

    def __init__(self, space: Space, members: int = 2) -> None:
        self._space, self._members = space, members

    def fit(self, rows: np.ndarray, labels: np.ndarray, seed: int) -> Self:
        """Fit by squared error to the normal scores of the labels; see `Predictor.fit`."""
        targets, large = normal_scores(rows, labels), len(rows) >= _LARGE_TREES_AT
        models = [
            GradientBoostingRegressor(
                n_estimators=800 if large else 400,
                learning_rate=0.03,
                max_depth=None,
                max_leaf_nodes=14 if large else 8,
                min_samples_leaf=5,
                max_features=0.1,
                subsample=0.7,
                random_state=derive_seed(seed, "trees", member) % 2**32,
            ).fit(self._space.features[rows], targets)
            for member in range(self._members)
        ]
        self._forest = Forest(models)
        return self

    def predict(self, rows: np.ndarray, space: Space | None = None) -> np.ndarray:
        """Return the mean prediction, float64 [rows]; see `Predictor.predict`."""
        return self._forest.predict((space or self._space).features, rows)


RECIPE = Recipe(build=lambda space, *_: BoostedTrees(space))
