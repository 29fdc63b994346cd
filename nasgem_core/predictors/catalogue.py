"""Predictors by name, each imported when it is asked for, so that one can change without the others noticing."""

from importlib import import_module

from nasgem_core.errors import ParameterError
from nasgem_core.predictors.recipe import Recipe

_MODULES = {
    **dict.fromkeys(("ensemble", "gaussian_process", "boosted_trees", "message_passing"), "recipes"),
    **dict.fromkeys(
        ("adjacency_mlp", "plain_autoencoder", "guided_autoencoder", "lstm", "gcn", "gates", "nas_bowl"),
        "rivals.recipes",
    ),
    **dict.fromkeys(("parameters", "random"), "baselines"),
}
PREDICTORS = tuple(_MODULES)


def recipe_module(name: str) -> str:
    """Return the dotted name of the module that a predictor stands in; raises `ParameterError` for an unknown one."""
    if name not in _MODULES:
        raise ParameterError(f"predictor = {name!r}: must be one of {', '.join(PREDICTORS)}")
    return f"nasgem_core.predictors.{_MODULES[name]}"


def recipe_named(name: str) -> Recipe:
    """Return the recipe of a predictor; raises `ParameterError` for an unknown one."""
    return import_module(recipe_module(name)).RECIPES[name]
