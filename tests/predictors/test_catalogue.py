from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from nasgem_core.errors import ParameterError
from nasgem_core.predictors import network, recipes
from nasgem_core.predictors.catalogue import PREDICTORS, recipe_module, recipe_named
from nasgem_core.predictors.encoder import pretrain
from nasgem_core.predictors.features.cell_features import cell_features
from nasgem_core.predictors.gp import Relevances
from nasgem_core.predictors.notation import lay_out
from nasgem_core.predictors.recipe import Recipe
from nasgem_core.predictors.recipes import RECIPES
from nasgem_core.predictors.rivals import recipes as rival_recipes
from nasgem_core.predictors.rivals.recipes import RECIPES as RIVALS
from nasgem_core.predictors.rivals.training import TrainedNetwork
from nasgem_core.predictors.space import Space, Standard
from tests.predictors.features.oracle import FREE
from tests.predictors.ranking import ROWS

QUICK = {"gaussian_process", "boosted_trees", "nas_bowl", "adjacency_mlp"}


@pytest.mark.parametrize("name", PREDICTORS)
def test_every_name_has_a_recipe_in_its_module(name):
    assert isinstance(recipe_named(name), Recipe)
    assert import_module(recipe_module(name)).__name__ == recipe_module(name)


def test_every_recipe_has_a_name_and_is_found_by_it():
    for name, recipe in (RECIPES | RIVALS).items():
        assert recipe_named(name) is recipe
    assert not RECIPES.keys() & RIVALS.keys()


@pytest.mark.parametrize("function", [recipe_module, recipe_named])
def test_unknown_names_are_refused_with_the_known_ones(function):
    with pytest.raises(ParameterError, match=r"predictor = 'oracle': must be one of ensemble, .*random"):
        function("oracle")


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in PREDICTORS[:-2]],
)
def test_cells_of_another_space_are_scored_alike(space, cells, accuracies, name, monkeypatch):
    monkeypatch.setattr(network, "_STEPS", 20)
    monkeypatch.setattr(recipes, "pretrain", lambda space, seed: pretrain(space, seed, steps=20))
    for short in ("_GUIDED", "_PLAIN"):
        monkeypatch.setattr(rival_recipes, short, replace(getattr(rival_recipes, short), iterations=50))
    recipe = recipe_named(name)
    arrays = recipe.pretrain(space, 0) if recipe.pretrain else {}
    predictor = recipe.build(space, arrays, Relevances())
    if isinstance(predictor, TrainedNetwork):
        predictor._training = replace(predictor._training, steps=20)
    predictor.fit(ROWS, accuracies[ROWS], 0)
    standard = Standard.of(cell_features(lay_out(cells, FREE), FREE))
    others = np.arange(150, 190)
    apart = Space.build(cells[others], FREE, standard=standard)
    scores = predictor.predict(others)
    assert len(np.unique(scores)) > 10
    np.testing.assert_allclose(predictor.predict(np.arange(40), apart), scores, atol=1e-4)


def test_the_example_of_the_documentation_runs():
    page = (Path(__file__).parents[2] / "docs/predictors.md").read_text(encoding="utf-8")
    names: dict = {}
    exec(page.split("```python\n")[1].split("```")[0], names)
    assert sorted(names["best_first"]) == names["others"].tolist()
