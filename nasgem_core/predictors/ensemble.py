"""Processes, trees and networks: their standardised scores, added.

A member votes as much as it can be trusted. What the processes predict of each labelled cell from the others says how
well they rank; a tree or network that agrees little with them cannot rank well where they do. So a member that fails on
a space loses its vote, and a process that sees the numbers of the vertices gets one only where these mean something.

With few labels the networks vote through a student: one network that learns, on cells without labels, the sum of all
members. It ranks as well as the networks together, and scores a space in a third of their time. With many labels no
student keeps up with its teachers, and the networks vote themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from nasgem_core.errors import ParameterError
from nasgem_core.predictors.covariances import COVARIANCES
from nasgem_core.predictors.encoder import Encoder, encoders_of, pretrain_encoders
from nasgem_core.predictors.gp import GaussianProcess
from nasgem_core.predictors.network import Network
from nasgem_core.predictors.numbered import NumberedProcess, is_readable
from nasgem_core.predictors.predictor import Predictor, normal_scores
from nasgem_core.predictors.recipe import Recipe
from nasgem_core.predictors.relevances import Relevances
from nasgem_core.predictors.space import Space
from nasgem_core.predictors.trees import BoostedTrees
from nasgem_core.seeding import derive_seed

_POOL, _STUDENT_STEPS = 10_000, 400
"""Unlabelled cells on which scores are standardised and the student learns, and how long it does."""
_NETWORKS_AT_100, _NETWORKS_GROWTH = 1.0, 0.4
"""The weight of all networks at 100 labels, where a process has 1, and the power of the labels that it grows by."""
_STUDENT_BELOW = 1000
"""With fewer labels a student votes for the networks."""
_ENCODERS = 3
_TRUSTED = 0.5
"""A member has its whole vote where the odds of its skill are at least this share of those of the best process."""
_NUMBERED_FROM = 0.9
"""The same share from which numbered vertices are believed to mean something."""
_NEGLIGIBLE = 0.1
"""Networks that are trusted less need no student."""
_LEAST = 1e-3
"""How near a correlation comes to 0 and 1, at most."""
NUMBERED = "numbered"
"""Name of the process that sees the numbers of the vertices."""


@dataclass(frozen=True)
class Vote:
    """A member's part in the sum: its scores, standardised by `mean` and `deviation`, times `weight`."""

    member: Predictor
    weight: float
    mean: float
    deviation: float

    def cast(self, scores: np.ndarray) -> np.ndarray:
        """Return the weighted scores, float64."""
        return self.weight * (scores.astype(np.float64) - self.mean) / self.deviation


class Ensemble:
    """Two processes, trees, and one network for each encoder; every second one reads the features too.

    After `fit`, `votes` holds by name what is added.

    Args:
        space: the cells.
        encoders: pre-trained on this space.
        prior: of the processes' relevances.

    Raises:
        ParameterError: there is no encoder.
    """

    def __init__(self, space: Space, encoders: Sequence[Encoder], prior: Relevances) -> None:
        if not encoders:
            raise ParameterError("encoders is empty: pre-train at least one on the space")
        self._space = space
        self._processes: dict[str, GaussianProcess | NumberedProcess]
        self._processes = {name: GaussianProcess(space, name, prior) for name in COVARIANCES}
        if is_readable(space):
            self._processes[NUMBERED] = NumberedProcess(space)
        self._trees = BoostedTrees(space)
        self._networks = [Network(space, encoder, with_features=i % 2 == 1) for i, encoder in enumerate(encoders)]
        self._student = Network(space, encoders[0], with_features=False)
        self.votes: dict[str, Vote] = {}

    def fit(self, rows: np.ndarray, labels: np.ndarray, seed: int) -> Self:
        """Fit every member, and the student to their sum on cells without labels; see `Predictor.fit`.

        Raises:
            DataError: see `normal_scores`.
        """
        targets = normal_scores(rows, labels)
        unlabelled = np.setdiff1d(np.arange(len(self._space)), rows)
        rng = np.random.default_rng(derive_seed(seed, "unlabelled"))
        pool = rng.permutation(unlabelled if len(unlabelled) else rows)[:_POOL]
        self.votes, cast = {}, {}

        def add(name: str, member: Predictor, weight: float, scores: np.ndarray) -> None:
            self.votes[name] = Vote(member, weight, float(scores.mean()), _deviation(scores))
            cast[name] = self.votes[name].cast(scores)

        odds = {}
        for name, process in self._processes.items():
            process.fit(rows, labels, derive_seed(seed, name))
            odds[name] = odds_of(process.left_out(), targets)
        best = max(odds.values())
        for name, process in self._processes.items():
            share = odds[name] / best
            if name != NUMBERED or share >= _NUMBERED_FROM:
                add(name, process, min(1.0, share / _TRUSTED), process.predict(pool))
        # The processes' sum is the measure for what cannot be left out so cheaply.
        measure, skill = np.sum(list(cast.values()), axis=0), np.sqrt(best / (1 + best))

        def trust(scores: np.ndarray) -> float:
            return min(1.0, odds_of(scores, measure, skill) / best / _TRUSTED)

        scores = self._trees.fit(rows, labels, derive_seed(seed, "trees")).predict(pool)
        add("trees", self._trees, trust(scores), scores)
        core = list(self.votes)
        share = _NETWORKS_AT_100 * (len(rows) / 100) ** _NETWORKS_GROWTH / len(self._networks)
        trusts = []
        for i, network in enumerate(self._networks):
            scores = network.fit(rows, labels, derive_seed(seed, f"network{i}")).predict(pool)
            trusts.append(trust(scores))
            add(f"network{i}", network, share * trusts[-1], scores)
        if len(rows) < _STUDENT_BELOW:
            taught = np.sum(list(cast.values()), axis=0)
            self.votes = {name: self.votes[name] for name in core}
            # The student weighs as much as all others together, as far as networks can be trusted on this space.
            weight = float(np.mean(trusts)) * _deviation(np.sum([cast[name] for name in core], axis=0))
            if np.mean(trusts) >= _NEGLIGIBLE:
                taught = taught / _deviation(taught)
                self._student.distil(pool, taught, derive_seed(seed, "student"), _STUDENT_STEPS)
                self.votes["student"] = Vote(self._student, weight, 0.0, 1.0)
        return self

    def predict(self, rows: np.ndarray, space: Space | None = None) -> np.ndarray:
        """Return scores, float64 [rows]; see `Predictor.predict`."""
        return np.sum([vote.cast(vote.member.predict(rows, space)) for vote in self.votes.values()], axis=0)


def odds_of(scores: np.ndarray, targets: np.ndarray, skill: float = 1.0) -> float:
    """Return r^2 / (1 - r^2) for the correlation r of scores and targets, times the targets' own `skill`.

    Where r is not above 0 the odds are as small as can be, and not 0.
    """
    spread = scores.std() * targets.std()
    covariance = np.mean((scores - scores.mean()) * (targets - targets.mean()))
    correlation = np.clip(skill * covariance / spread if spread else 0.0, _LEAST, 1 - _LEAST)
    return float(correlation**2 / (1 - correlation**2))


def _deviation(scores: np.ndarray) -> float:
    """Return the standard deviation, 1 where all scores are equal."""
    return float(scores.std()) or 1.0


RECIPE = Recipe(
    build=lambda space, arrays, prior: Ensemble(space, encoders_of(space, arrays, _ENCODERS), prior),
    pretrain=lambda space, seed: pretrain_encoders(space, seed, _ENCODERS),
)
