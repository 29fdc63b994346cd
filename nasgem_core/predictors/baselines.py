"""What any predictor has to beat: random scores, and the number of parameters alone."""

from typing import Self

import numpy as np

from nasgem_core.errors import DataError
from nasgem_core.predictors.predictor import normal_scores
from nasgem_core.predictors.recipe import Recipe
from nasgem_core.predictors.space import Space

_PARAMS = "size:params"
"""Name of the feature that holds the logarithm of the number of parameters."""


class RandomScores:
    """Scores that know nothing."""

    def __init__(self, space: Space) -> None:
        self._space = space

    def fit(self, rows: np.ndarray, labels: np.ndarray, seed: int) -> Self:
        """Check the labels as any predictor does; nothing is learned from them."""
        normal_scores(rows, labels)
        self._seed = seed
        return self

    def predict(self, rows: np.ndarray, space: Space | None = None) -> np.ndarray:
        """Return the scores that are drawn for the rows of a space, float64 [rows]; see `Predictor.predict`."""
        return np.random.default_rng(self._seed).random(len(space or self._space))[rows]


class ParameterCount:
    """More parameters are better.

    Raises:
        DataError: the table of this space has no parameters.
    """

    def __init__(self, space: Space) -> None:
        if _PARAMS not in space.names:
            raise DataError("the table has no metric 'params', or all cells have as many: leave out this predictor")
        self._space = space

    def fit(self, rows: np.ndarray, labels: np.ndarray, seed: int) -> Self:
        """Check the labels as any predictor does; nothing is learned from them."""
        normal_scores(rows, labels)
        return self

    def predict(self, rows: np.ndarray, space: Space | None = None) -> np.ndarray:
        """Return the standardised logarithm of the number of parameters, float32 [rows]; see `Predictor.predict`."""
        space = space or self._space
        return space.features[rows, space.names.index(_PARAMS)]


RANDOM = Recipe(build=lambda space, *_: RandomScores(space))
PARAMETERS = Recipe(build=lambda space, *_: ParameterCount(space), needs=("params",))
