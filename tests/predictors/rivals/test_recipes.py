"""The rivals as the benchmark makes them, with their own settings but fewer steps."""

from dataclasses import replace
from importlib import import_module

import pytest

from nasgem_core.config.search import EncoderConfig
from nasgem_core.predictors.catalogue import PREDICTORS
from nasgem_core.predictors.relevances import Relevances
from nasgem_core.predictors.rivals.autoencoder import pretrain_encoder
from tests.predictors.rivals.checks import tau_on_others

RIVALS = [name for name in PREDICTORS.names() if ".rivals." in PREDICTORS.module_of(name)]


def test_the_rivals_have_names():
    assert RIVALS == ["adjacency_mlp", "plain_autoencoder", "guided_autoencoder", "lstm", "gcn", "gates", "nas_bowl"]


@pytest.fixture(scope="module")
def encoder(space):
    return pretrain_encoder(space, EncoderConfig(dimension=16, iterations=200), 0, pairs=2000)


@pytest.mark.parametrize("name", RIVALS)
def test_every_recipe_builds_a_predictor_that_learns(space, accuracies, encoder, monkeypatch, name):
    recipe, module = PREDICTORS.get(name), import_module(PREDICTORS.module_of(name))
    if settings := getattr(module, "_SETTINGS", None):
        monkeypatch.setattr(module, "_SETTINGS", replace(settings, steps=settings.steps // 10))
    arrays = encoder if recipe.pretrain else {}
    assert tau_on_others(recipe.build(space, arrays, Relevances()), accuracies) > 0.3
