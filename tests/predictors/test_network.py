import math

import numpy as np
import pytest
import torch
from scipy.stats import kendalltau

from nasgem_core.errors import DataError
from nasgem_core.predictors import network as network_module
from nasgem_core.predictors.encoder import Encoder, graphs_of, pretrain
from nasgem_core.predictors.network import Network, RankingHead, ranking_loss
from tests.predictors.ranking import OTHERS, ROWS, tau_on_others


@pytest.fixture(autouse=True)
def short_fits(monkeypatch):
    monkeypatch.setattr(network_module, "_STEPS", 60)


@pytest.fixture(scope="module")
def encoder(space) -> Encoder:
    return pretrain(space, 0, steps=60)


def test_ranking_loss_by_hand():
    scores, targets = torch.tensor([0.0, 1.0]), torch.tensor([0.0, 2.0])
    wanted, log_odds = 1 / (1 + math.exp(-6)), 3.0
    pair = wanted * math.log1p(math.exp(-log_odds)) + (1 - wanted) * math.log1p(math.exp(log_odds))
    assert float(ranking_loss(scores, targets)) == pytest.approx((2 * pair + 2 * math.log(2)) / 4)
    assert float(ranking_loss(targets, targets)) < float(ranking_loss(scores, targets))


@pytest.mark.parametrize("with_features", [False, True])
def test_the_gradient_reaches_every_parameter(space, encoder, with_features):
    features = torch.from_numpy(space.features[:64])
    scorer = RankingHead(encoder, features.shape[1] if with_features else 0, 0.1)
    scores = scorer(graphs_of(space, np.arange(64)), features)
    assert scores.shape == (64,)
    ranking_loss(scores, torch.linspace(-1, 1, 64)).backward()
    # A constant added to all scores changes no ranking: the last bias alone has nothing to learn.
    unlearned = [
        name for name, value in scorer.named_parameters() if value.grad is None or value.grad.abs().sum() < 1e-9
    ]
    assert unlearned in ([], ["head.3.bias"])
    scorer.zero_grad()
    scorer(graphs_of(space, np.arange(64)), features).square().sum().backward()
    assert scorer.head[3].bias.grad.abs() > 0


@pytest.mark.slow
@pytest.mark.parametrize("with_features", [False, True])
def test_a_known_rule_is_learned_and_learned_alike_again(space, encoder, accuracies, with_features):
    before = [value.clone() for value in encoder.parameters()]
    network = Network(space, encoder, with_features)
    state = torch.get_rng_state()
    assert tau_on_others(network, accuracies) > 0.6
    assert torch.equal(state, torch.get_rng_state())
    first = network.predict(OTHERS)
    assert np.array_equal(first, Network(space, encoder, with_features).fit(ROWS, accuracies[ROWS], 3).predict(OTHERS))
    for a, b in zip(before, encoder.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.slow
def test_the_seed_and_the_features_matter(space, encoder, accuracies):
    network = Network(space, encoder, True)
    scores = network.fit(ROWS, accuracies[ROWS], 0).predict(OTHERS)
    assert not np.array_equal(scores, network.fit(ROWS, accuracies[ROWS], 1).predict(OTHERS))
    assert len(network.predict(OTHERS[:0])) == 0


@pytest.mark.slow
def test_distillation_repeats_scores(space, encoder):
    scores = space.features[:, space.names.index("walk:length")].astype(np.float64)
    student = Network(space, encoder, False).distil(ROWS, scores[ROWS], 0, steps=150)
    assert kendalltau(student.predict(OTHERS), scores[OTHERS])[0] > 0.8


def test_isomorphic_cells_have_equal_scores(doubled, encoder, accuracies):
    network = Network(doubled, encoder, False).fit(ROWS, accuracies[ROWS], 0)
    np.testing.assert_allclose(*np.split(network.predict(np.arange(len(doubled))), 2), atol=1e-3)


def test_equal_labels_are_refused(space, encoder):
    with pytest.raises(DataError, match="no two differ"):
        Network(space, encoder, False).fit(ROWS, np.ones(len(ROWS)), 0)
