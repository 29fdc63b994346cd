"""Processes, trees and ranking networks by standardised sum, and a network distilled from that sum."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from nasgem_core.errors import ParameterError
from nasgem_core.predictors.covariances import COVARIANCES
from nasgem_core.predictors.encoder import Encoder
from nasgem_core.predictors.gp import GaussianProcess, Relevances
from nasgem_core.predictors.network import Network
from nasgem_core.predictors.predictor import Predictor, normal_scores
from nasgem_core.predictors.space import Space
from nasgem_core.predictors.trees import BoostedTrees
from nasgem_core.seeding import derive_seed

_POOL = 10_000
"""Unlabelled cells on which scores are standardised and the student learns."""
_NETWORKS_AT_100, _NETWORKS_GROWTH = 0.5, 0.4
"""The weight of each two networks beside a process at 100 labels, and the power of the labels by which it grows."""


class Ensemble:
    """Two processes, trees, one network for each encoder (every second with the features beside), and the student.

    Args:
        space: the cells.
        encoders: pre-trained on this space.
        prior: of the processes' relevances.
    """

    def __init__(self, space: Space, encoders: Sequence[Encoder], prior: Relevances) -> None:
        if not encoders:
            raise ParameterError("encoders is empty: pre-train at least one on the space")
        self._space = space
        self.members: dict[str, Predictor] = {name: GaussianProcess(space, name, prior) for name in COVARIANCES}
        self.members["trees"] = BoostedTrees(space)
        self._networks = [f"network{i}" for i in range(len(encoders))]
        for i, (name, encoder) in enumerate(zip(self._networks, encoders, strict=True)):
            self.members[name] = Network(space, encoder, beside=i % 2 == 1)
        self.student = Network(space, encoders[0], beside=False)

    def fit(self, rows: np.ndarray, labels: np.ndarray, seed: int) -> Self:
        """Fit every member, then the student to their sum on cells without labels; see `Predictor.fit`.

        Raises:
            DataError: see `normal_scores`.
        """
        normal_scores(rows, labels)
        self._weights = dict.fromkeys(self.members, 1.0)
        share = 2 * _NETWORKS_AT_100 * (len(rows) / 100) ** _NETWORKS_GROWTH / len(self._networks)
        self._weights |= dict.fromkeys(self._networks, share)
        for name, member in self.members.items():
            member.fit(rows, labels, derive_seed(seed, name))
        rng = np.random.default_rng(derive_seed(seed, "unlabelled"))
        unlabelled = np.setdiff1d(np.arange(len(self._space)), rows)
        pool = rng.permutation(unlabelled if len(unlabelled) else rows)[:_POOL]
        scores = {name: member.predict(pool) for name, member in self.members.items()}
        self._moments = {name: _moments(values) for name, values in scores.items()}
        teacher = self._sum(scores)
        self._moments["teacher"] = _moments(teacher)
        self.student.distil(pool, _standardised(teacher, self._moments["teacher"]), derive_seed(seed, "student"))
        return self

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Return scores, float64 [rows]."""
        return self.predict_parts(rows)["ensemble"]

    def predict_parts(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return the scores [rows] of each member, their sum `teacher`, the `student`, and the `ensemble` of both."""
        scores = {name: member.predict(rows) for name, member in self.members.items()}
        teacher = _standardised(self._sum(scores), self._moments["teacher"])
        student = self.student.predict(rows)
        return {**scores, "teacher": teacher, "student": student, "ensemble": teacher + student}

    def _sum(self, scores: dict[str, np.ndarray]) -> np.ndarray:
        return np.sum(
            [w * _standardised(scores[name], self._moments[name]) for name, w in self._weights.items()], axis=0
        )


def _moments(scores: np.ndarray) -> tuple[float, float]:
    """Return mean and standard deviation, the latter 1 where all scores are equal."""
    return float(scores.mean()), float(scores.std()) or 1.0


def _standardised(scores: np.ndarray, moments: tuple[float, float]) -> np.ndarray:
    mean, deviation = moments
    return (scores.astype(np.float64) - mean) / deviation
