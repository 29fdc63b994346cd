from dataclasses import replace

import pytest

from nasgem_core.config.search import EncoderConfig
from nasgem_core.predictors.gp import Relevances
from nasgem_core.predictors.rivals import recipes
from nasgem_core.predictors.rivals.autoencoder import pretrain_encoder
from nasgem_core.predictors.rivals.recipes import RECIPES
from nasgem_core.predictors.rivals.training import Training
from tests.predictors.rivals.checks import tau_on_others


def test_the_rivals_have_names():
    assert list(RECIPES) == [
        "adjacency_mlp",
        "plain_autoencoder",
        "guided_autoencoder",
        "lstm",
        "gcn",
        "gates",
        "nas_bowl",
    ]


@pytest.fixture(scope="module")
def encoder(space):
    return pretrain_encoder(space, EncoderConfig(dimension=16, iterations=200), 0, pairs=2000)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_builds_a_predictor_that_learns(space, accuracies, encoder, monkeypatch, name):
    """With its own settings, but fewer steps."""
    monkeypatch.setattr(recipes, "Training", lambda *given, steps: Training(*given, steps=steps // 10))
    arrays = encoder if RECIPES[name].pretrain else {}
    assert tau_on_others(RECIPES[name].build(space, arrays, Relevances()), accuracies) > 0.3


def test_plain_and_guided_differ_by_the_similarity_loss_alone(space, monkeypatch):
    asked: list[tuple[EncoderConfig, int]] = []
    monkeypatch.setattr(recipes, "pretrain_encoder", lambda _, config, seed: asked.append((config, seed)) or {})
    for name in ("plain_autoencoder", "guided_autoencoder"):
        recipe = RECIPES[name]
        assert recipe.pretrain is not None and recipe.pretrain(space, 7) == {}
    (plain, plain_seed), (guided, guided_seed) = asked
    assert (plain.similarity_weight, guided.similarity_weight) == (0.0, 1.0)
    assert replace(plain, similarity_weight=1.0) == guided
    assert (guided.dimension, guided.iterations, plain_seed, guided_seed) == (32, 10_000, 7, 7)
