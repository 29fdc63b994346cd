from dataclasses import replace

import numpy as np
import pytest
import torch

from nasgem_core.errors import DataError, ParameterError
from nasgem_core.predictors import ensemble, gp, network
from nasgem_core.predictors.covariances import COVARIANCES
from nasgem_core.predictors.encoder import Encoder, pretrain
from nasgem_core.predictors.ensemble import NUMBERED, Ensemble, odds_of
from nasgem_core.predictors.relevances import Relevances
from nasgem_core.predictors.space import Space
from tests.predictors.features.oracle import FREE
from tests.predictors.ranking import OTHERS, ROWS, tau, tau_on_others

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def short_fits():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ensemble, "_STUDENT_STEPS", 60)
        patch.setattr(network, "_STEPS", 60)
        patch.setattr(gp, "_STEPS", 40)
        yield


@pytest.fixture(scope="module")
def encoders(space) -> list[Encoder]:
    return [pretrain(space, seed, steps=40) for seed in range(2)]


@pytest.fixture(scope="module")
def fitted(doubled, encoders, accuracies) -> Ensemble:
    """Return an ensemble that knows the accuracies of a few cells of the space with all cells twice."""
    return Ensemble(doubled, encoders, Relevances()).fit(ROWS, accuracies[ROWS], 3)


def test_a_known_rule_is_learned_better_than_by_chance(fitted, accuracies):
    found = tau(fitted.predict(OTHERS), accuracies)
    guess = tau(np.random.default_rng(0).random(len(OTHERS)), accuracies)
    constant = tau(np.full(len(OTHERS), accuracies[ROWS].mean()), accuracies)
    assert found > 0.75 > 0.1 > max(guess, constant)


def test_scores_are_the_sum_of_the_votes_and_each_vote_tells(fitted, accuracies):
    assert list(fitted.votes) == [*COVARIANCES, "trees", "student"]
    casts = {name: vote.cast(vote.member.predict(OTHERS)) for name, vote in fitted.votes.items()}
    np.testing.assert_allclose(fitted.predict(OTHERS), sum(casts.values()))
    assert min(tau(cast, accuracies) for cast in casts.values()) > 0.6
    core = sum(casts[name] for name in [*COVARIANCES, "trees"])
    assert casts["student"].std() == pytest.approx(core.std(), rel=0.15)


def test_members_that_disagree_with_what_is_known_lose_their_votes(space, encoders, accuracies, monkeypatch):
    class Constant:
        def fit(self, rows, labels, seed):
            return self

        def predict(self, rows, space=None):
            return np.random.default_rng(0).random(len(rows))

    one = Ensemble(space, encoders, Relevances())
    monkeypatch.setattr(one, "_trees", Constant())
    one.fit(ROWS, accuracies[ROWS], 3)
    assert one.votes["trees"].weight < 0.05 < 0.9 < one.votes["arc_cosine"].weight


def test_odds_are_those_of_the_correlation():
    targets = np.random.default_rng(0).normal(size=50)
    scores = targets + np.random.default_rng(1).normal(size=50)
    squared = np.corrcoef(scores, targets)[0, 1] ** 2
    assert odds_of(scores, targets) == pytest.approx(squared / (1 - squared))
    assert odds_of(scores, targets, 0.5) == pytest.approx(0.25 * squared / (1 - 0.25 * squared))
    assert odds_of(-scores, targets) == odds_of(np.ones(50), targets) < 1e-5 < odds_of(targets, targets) < 1e4


def test_the_numbers_of_vertices_are_read_only_where_they_mean_something(cells, encoders, accuracies):
    numbered = Space.build(cells, FREE, numbered=True)
    assert NUMBERED not in Ensemble(numbered, encoders, Relevances()).fit(ROWS, accuracies[ROWS], 3).votes
    labels = cells.codes[:, 1:4] @ np.array([1.0, -1.0, 0.7]) + 0.01 * np.random.default_rng(0).normal(size=len(cells))
    by_place = Ensemble(numbered, encoders, Relevances()).fit(ROWS, labels[ROWS], 3)
    assert by_place.votes[NUMBERED].weight == 1 > by_place.votes["rational_quadratic"].weight
    without = Ensemble(replace(numbered, numbered=None), encoders, Relevances()).fit(ROWS, labels[ROWS], 3)
    assert tau(by_place.predict(OTHERS), labels) > tau(without.predict(OTHERS), labels) + 0.1


def test_isomorphic_cells_have_equal_scores(fitted, doubled):
    first, second = np.split(fitted.predict(np.arange(len(doubled))), 2)
    assert np.isclose(first, second, atol=1e-2).mean() > 0.97


def test_equal_arguments_give_equal_scores_whatever_was_fitted_before(space, encoders, accuracies):
    few = ROWS[:30]
    first = Ensemble(space, encoders, Relevances()).fit(few, accuracies[few], 0).predict(OTHERS)
    again = Ensemble(space, encoders, Relevances()).fit(few[:20], accuracies[few[:20]], 1)
    torch.rand(7), np.random.rand(7)
    assert np.array_equal(first, again.fit(few, accuracies[few], 0).predict(OTHERS))


def test_with_many_labels_the_networks_vote_themselves(space, encoders, accuracies, monkeypatch):
    monkeypatch.setattr(ensemble, "_STUDENT_BELOW", 100)
    many = Ensemble(space, encoders, Relevances())
    assert tau_on_others(many, accuracies) > 0.75
    assert list(many.votes) == [*COVARIANCES, "trees", "network0", "network1"]
    assert many.votes["network0"].weight == pytest.approx(0.5, rel=0.3)


def test_a_space_that_is_labelled_whole_can_be_fitted(encoders, space, accuracies, monkeypatch):
    monkeypatch.setattr(ensemble, "_STUDENT_BELOW", 0)
    whole = np.arange(60)
    part = type(space)(space.cells[whole], space.features[whole], space.names)
    assert len(Ensemble(part, encoders, Relevances()).fit(whole, accuracies[whole], 0).predict(whole)) == 60


def test_what_cannot_be_fitted_is_refused(space, encoders):
    with pytest.raises(ParameterError, match="encoders is empty: pre-train at least one"):
        Ensemble(space, [], Relevances())
    with pytest.raises(DataError, match="no two differ"):
        Ensemble(space, encoders, Relevances()).fit(ROWS, np.ones(len(ROWS)), 0)
