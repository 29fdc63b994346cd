"""A Gaussian process on analytic features and Weisfeiler-Lehman similarities, with learned relevances.

Cells i and j have the inner product

    sum over features f of exp(g + r_f) / |group of f| * x_if * x_jf  +  sum over similarities k of exp(w_k) * S_k(i, j)

with one g for each group and one r for each feature, and a covariance is taken of it. g, r, w, an amplitude and the
noise are the mode of the marginal likelihood times normal priors; the prior on r shrinks a group to equal weights.
"""

from collections.abc import Mapping
from typing import Self

import numpy as np
import torch
from torch import Tensor

from nasgem_core.errors import ParameterError
from nasgem_core.predictors.covariances import COVARIANCES
from nasgem_core.predictors.predictor import normal_scores
from nasgem_core.predictors.recipe import Recipe
from nasgem_core.predictors.relevances import SUBTREES, Relevances
from nasgem_core.predictors.space import Space
from nasgem_core.predictors.subtrees import SIMILARITIES, SimilarityTo

_LEARNED_ROWS = 1000
"""Relevances are learned on at most so many of the cells: a step costs their number to the third power."""
_LOG_TOTAL, _LOG_NOISE = -0.5, -2.0
_STEPS, _RATE = 150, 0.06
_JITTER = 1e-5
_CHUNK = 1024


class GaussianProcess:
    """The posterior mean, with a covariance named in `COVARIANCES`. After `fit`, `weights` holds what was learned."""

    def __init__(self, space: Space, covariance: str, prior: Relevances, learned_rows: int | None = None) -> None:
        """Take the space, a name in `COVARIANCES`, the prior, and on how many of the labels relevances are learned."""
        self._learned_rows = learned_rows or _LEARNED_ROWS
        if covariance not in COVARIANCES:
            raise ParameterError(f"covariance = {covariance!r}: must be one of {', '.join(COVARIANCES)}")
        self._space, self._covariance = space, COVARIANCES[covariance]
        names = sorted(set(space.groups))
        self._group = torch.tensor([names.index(group) for group in space.groups])
        self._log_size = torch.log(torch.bincount(self._group).double())[self._group]
        level = _LOG_TOTAL - np.log(len(names) + SIMILARITIES)
        shift = torch.tensor([prior.of(name) for name in names], dtype=torch.float64)
        self._prior = {
            "group": shift + level,
            "feature": torch.zeros(len(self._group), dtype=torch.float64),
            "similarity": torch.full((SIMILARITIES,), level + prior.of(SUBTREES), dtype=torch.float64),
            "amplitude": torch.zeros((), dtype=torch.float64),
            "noise": torch.full((), _LOG_NOISE, dtype=torch.float64),
        }
        self._spread = {
            "group": prior.group_spread,
            "feature": prior.feature_spread,
            "similarity": prior.group_spread,
            "amplitude": 1.0,
            "noise": 1.0,
        }
        self.weights: dict[str, Tensor] = {}

    def fit(self, rows: np.ndarray, labels: np.ndarray, seed: int) -> Self:
        """Learn from the normal scores of the labels; see `Predictor.fit`. Nothing is drawn: the seed is not read."""
        return self.regress(rows, normal_scores(rows, labels))

    def regress(self, rows: np.ndarray, values: np.ndarray) -> Self:
        """Learn from values [N] as they are, which should have about zero mean and unit variance."""
        targets = torch.from_numpy(np.asarray(values, dtype=np.float64))[:, None]
        return self.condition(rows, values, self._learn(rows[: self._learned_rows], targets[: self._learned_rows]))

    def condition(self, rows: np.ndarray, values: np.ndarray, weights: Mapping[str, Tensor]) -> Self:
        """Take values [N] as `regress` does, with the `weights` that it has learned before."""
        targets = torch.from_numpy(np.asarray(values, dtype=np.float64))[:, None]
        self.weights = dict(weights)
        subtrees = self._space.subtree_labels(rows)
        self._known = SimilarityTo(subtrees)
        with torch.no_grad():
            scaled = self._features(rows).double() * self._scales(self.weights)
            similar = torch.from_numpy(self._known.combine(subtrees, self.weights["similarity"].exp().numpy())).double()
            kernel = self._kernel(scaled, scaled, (similar + similar.T) / 2, self.weights)
            kernel.diagonal().add_(self.weights["noise"].exp() + _JITTER)
            self._factor, self._targets = torch.linalg.cholesky(kernel), targets
            self._alpha = torch.cholesky_solve(targets, self._factor).float()
            self._fitted = scaled.float()
        return self

    def left_out(self) -> np.ndarray:
        """Return what is predicted of each labelled cell from all others, by the weights of all, float64 [N].

        Sundararajan and Keerthi (2001): y_i - [K^-1 y]_i / [K^-1]_ii, without any further fit.
        """
        solved = torch.cholesky_solve(self._targets, self._factor)[:, 0]
        return (self._targets[:, 0] - solved / torch.cholesky_inverse(self._factor).diagonal()).numpy()

    def predict(self, rows: np.ndarray, space: Space | None = None) -> np.ndarray:
        """Return the posterior means, float32 [rows]; see `Predictor.predict`."""
        space = space or self._space
        scales, relevances = self._scales(self.weights).float(), self.weights["similarity"].exp().numpy()
        means = [np.empty(0, dtype=np.float32)]
        with torch.no_grad():
            for start in range(0, len(rows), _CHUNK):
                part = rows[start : start + _CHUNK]
                similar = torch.from_numpy(self._known.combine(space.subtree_labels(part), relevances))
                features = torch.from_numpy(space.features[part])
                kernel = self._kernel(features * scales, self._fitted, similar, self.weights)
                means.append((kernel @ self._alpha)[:, 0].numpy())
        return np.concatenate(means)

    def _learn(self, rows: np.ndarray, targets: Tensor) -> dict[str, Tensor]:
        """Return the mode, reached by Adam from the prior's mean."""
        features = self._features(rows).double()
        subtrees = self._space.subtree_labels(rows)
        similarities = torch.from_numpy(SimilarityTo(subtrees).each(subtrees))
        weights = {name: mean.clone().requires_grad_() for name, mean in self._prior.items()}
        optimiser = torch.optim.Adam(weights.values(), lr=_RATE)
        identity = torch.eye(len(rows), dtype=torch.float64)
        for _ in range(_STEPS):
            optimiser.zero_grad()
            scaled = features * self._scales(weights)
            similar = torch.einsum("k,kij->ij", weights["similarity"].exp(), similarities)
            kernel = self._kernel(scaled, scaled, similar, weights) + (weights["noise"].exp() + _JITTER) * identity
            factor = torch.linalg.cholesky(kernel)
            white = torch.linalg.solve_triangular(factor, targets, upper=False)
            loss = 0.5 * white.square().sum() + factor.diagonal().log().sum()
            for name, value in weights.items():
                loss = loss + 0.5 * ((value - self._prior[name]) / self._spread[name]).square().sum()
            loss.backward()
            optimiser.step()
        return {name: value.detach() for name, value in weights.items()}

    def _scales(self, weights: Mapping[str, Tensor]) -> Tensor:
        """Return [F], the square roots of the features' weights."""
        return (0.5 * (weights["group"][self._group] + weights["feature"] - self._log_size)).exp()

    def _features(self, rows: np.ndarray) -> Tensor:
        return torch.from_numpy(self._space.features[rows])

    def _kernel(self, left: Tensor, right: Tensor, similar: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        """Return the covariance [A, B] of scaled features; similar [A, B] is the weighted sum of similarities."""
        # A cell has a similarity of 1 to itself. The bias of 1 is that of the arc-cosine's first layer; no distance
        # changes by it.
        own = weights["similarity"].exp().sum().to(left.dtype) + 1
        norms = [side.square().sum(1) + own for side in (left, right)]
        return weights["amplitude"].exp().to(left.dtype) * self._covariance(left @ right.T + 1 + similar, *norms)


RECIPE = Recipe(build=lambda space, _, prior: GaussianProcess(space, "rational_quadratic", prior))
