import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau

from nasgem_core.errors import DataError, ParameterError
from nasgem_core.predictors import encoder, network
from nasgem_core.predictors.catalogue import PREDICTORS, check_names, search_predictors
from nasgem_core.predictors.features.cell_features import cell_features
from nasgem_core.predictors.notation import lay_out
from nasgem_core.predictors.recipe import Recipe
from nasgem_core.predictors.relevances import Relevances
from nasgem_core.predictors.rivals import autoencoder
from nasgem_core.predictors.rivals.training import TrainedNetwork
from nasgem_core.predictors.space import Space, Standard
from tests.predictors.features.oracle import FREE
from tests.predictors.ranking import OTHERS, ROWS

BASELINES = {"parameters", "random", "one_hot_boosting", "one_hot_process", "one_hot_ridge"}
QUICK = {"gaussian_process", "boosted_trees", "nas_bowl", "adjacency_mlp"}


@pytest.fixture
def short_fits(monkeypatch):
    pretrain = encoder.pretrain
    monkeypatch.setattr(network, "_STEPS", 60)
    monkeypatch.setattr(encoder, "pretrain", lambda space, seed: pretrain(space, seed, steps=20))
    for name in ("_GUIDED", "_PLAIN"):
        monkeypatch.setattr(autoencoder, name, replace(getattr(autoencoder, name), iterations=50))


@pytest.mark.parametrize("name", PREDICTORS.names())
def test_every_name_has_a_recipe_in_the_module_of_its_predictor(name):
    recipe = PREDICTORS.get(name)
    assert isinstance(recipe, Recipe)
    assert recipe in vars(import_module(PREDICTORS.module_of(name))).values()


def test_all_but_the_baselines_can_pick_cells():
    assert set(search_predictors()) == set(PREDICTORS.names()) - BASELINES
    for kind in ("perceptron", *search_predictors()):
        check_names(kind, PREDICTORS.names())


@pytest.mark.parametrize("kind", ["oracle", "random"])
def test_a_kind_that_cannot_pick_cells_is_refused_with_those_that_can(kind):
    with pytest.raises(ParameterError, match=rf"predictor\.kind = '{kind}': must be one of perceptron, .*nas_bowl$"):
        check_names(kind, ())


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(ParameterError, match=r"benchmark\.predictors holds 'oracle': known are ensemble, .*random"):
        check_names("perceptron", ["random", "oracle"])
    with pytest.raises(ParameterError, match=r"unknown predictor 'oracle': known are ensemble, .*random"):
        PREDICTORS.get("oracle")


def test_names_are_known_without_importing_what_they_name():
    code = (
        "import sys; from nasgem_core.predictors.catalogue import check_names; check_names('nas_bowl', ['gcn']); "
        "print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "numpy", "scipy"} & set(loaded)


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in search_predictors()]
)
@pytest.mark.usefixtures("short_fits")
def test_cells_of_another_space_are_scored_alike(space, cells, accuracies, name):
    recipe = PREDICTORS.get(name)
    arrays = recipe.pretrain(space, 0) if recipe.pretrain else {}
    predictor = recipe.build(space, arrays, Relevances())
    if isinstance(predictor, TrainedNetwork):
        predictor._settings = replace(predictor._settings, steps=20)
    predictor.fit(ROWS, accuracies[ROWS], 0)
    standard = Standard.of(cell_features(lay_out(cells, FREE), FREE))
    others = np.arange(150, 190)
    apart = Space.build(cells[others], FREE, standard=standard)
    scores = predictor.predict(others)
    assert len(np.unique(scores)) > 10
    np.testing.assert_allclose(predictor.predict(np.arange(40), apart), scores, atol=1e-4)


@pytest.mark.parametrize("name", ["gaussian_process", "boosted_trees", "message_passing"])
@pytest.mark.usefixtures("short_fits")
def test_every_kind_of_member_orders_cells_alone(space, accuracies, name):
    recipe = PREDICTORS.get(name)
    arrays = recipe.pretrain(space, 0) if recipe.pretrain else {}
    scores = recipe.build(space, arrays, Relevances()).fit(ROWS, accuracies[ROWS], 0).predict(OTHERS)
    assert kendalltau(scores, accuracies[OTHERS])[0] > 0.5
    assert recipe.pretrainings == 1


@pytest.mark.slow
@pytest.mark.usefixtures("short_fits")
def test_what_was_pretrained_is_arrays(space, accuracies, tmp_path):
    recipe = PREDICTORS.get("message_passing")
    arrays = recipe.pretrain(space, 0)
    np.savez(tmp_path / "arrays.npz", **arrays)
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as archive:
        stored = dict(archive)
    scores = [
        recipe.build(space, one, Relevances()).fit(ROWS, accuracies[ROWS], 0).predict(OTHERS)
        for one in (arrays, stored)
    ]
    assert np.array_equal(*scores)
    other = recipe.pretrain(space, 1)
    assert arrays.keys() == other.keys()
    assert not np.array_equal(arrays["encoder0.inputs.weight"], other["encoder0.inputs.weight"])


@pytest.mark.slow
@pytest.mark.usefixtures("short_fits")
def test_the_ensemble_has_several_encoders(space):
    recipe = PREDICTORS.get("ensemble")
    arrays = recipe.pretrain(space, 0)
    first, second = (arrays[f"encoder{i}.inputs.weight"] for i in range(2))
    assert first.shape == second.shape and not np.array_equal(first, second)
    recipe.build(space, arrays, Relevances())


@pytest.mark.parametrize("name", ["ensemble", "message_passing"])
def test_arrays_of_something_else_are_refused(space, name):
    with pytest.raises(DataError, match=r"0 arrays named encoder0\.\* are not an encoder of this space"):
        PREDICTORS.get(name).build(space, {}, Relevances())


def test_the_example_of_the_documentation_runs():
    page = (Path(__file__).parents[2] / "docs/predictors.md").read_text(encoding="utf-8")
    names: dict = {}
    exec(page.split("```python\n")[1].split("```")[0], names)
    assert sorted(names["best_first"]) == names["others"].tolist()
