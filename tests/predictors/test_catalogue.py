from importlib import import_module
from pathlib import Path

import pytest

from nasgem_core.errors import ParameterError
from nasgem_core.predictors.catalogue import PREDICTORS, recipe_module, recipe_named
from nasgem_core.predictors.recipe import Recipe
from nasgem_core.predictors.recipes import RECIPES
from nasgem_core.predictors.rivals.recipes import RECIPES as RIVALS


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


def test_the_example_of_the_documentation_runs():
    page = (Path(__file__).parents[2] / "docs/predictors.md").read_text(encoding="utf-8")
    names: dict = {}
    exec(page.split("```python\n")[1].split("```")[0], names)
    assert sorted(names["best_first"]) == names["others"].tolist()
