import numpy as np
import pytest
from scipy.stats import kendalltau

from nasgem_core.errors import DataError
from nasgem_core.predictors import network, recipes
from nasgem_core.predictors.encoder import pretrain
from nasgem_core.predictors.gp import Relevances
from nasgem_core.predictors.recipes import RECIPES
from tests.predictors.ranking import OTHERS, ROWS


@pytest.fixture(autouse=True)
def short_pretraining(monkeypatch):
    monkeypatch.setattr(network, "_STEPS", 60)
    monkeypatch.setattr(recipes, "pretrain", lambda space, seed: pretrain(space, seed, steps=20))


@pytest.mark.parametrize("name", ["gaussian_process", "boosted_trees", "message_passing"])
def test_every_recipe_builds_a_predictor_that_orders_cells(space, accuracies, name):
    recipe = RECIPES[name]
    arrays = {} if recipe.pretrain is None else recipe.pretrain(space, 0)
    scores = recipe.build(space, arrays, Relevances()).fit(ROWS, accuracies[ROWS], 0).predict(OTHERS)
    assert kendalltau(scores, accuracies[OTHERS])[0] > 0.5
    assert recipe.pretrainings == 1


@pytest.mark.slow
def test_pretraining_is_kept_as_arrays(space, accuracies, tmp_path):
    recipe = RECIPES["message_passing"]
    arrays = recipe.pretrain(space, 0)
    np.savez(tmp_path / "arrays.npz", **arrays)
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as archive:
        kept = dict(archive)
    scores = [
        recipe.build(space, one, Relevances()).fit(ROWS, accuracies[ROWS], 0).predict(OTHERS) for one in (arrays, kept)
    ]
    assert np.array_equal(*scores)
    other = recipe.pretrain(space, 1)
    assert arrays.keys() == other.keys()
    assert not np.array_equal(arrays["encoder0.inputs.weight"], other["encoder0.inputs.weight"])


@pytest.mark.slow
def test_the_ensemble_has_several_encoders(space):
    arrays = RECIPES["ensemble"].pretrain(space, 0)
    first, second = (arrays[f"encoder{i}.inputs.weight"] for i in range(2))
    assert first.shape == second.shape and not np.array_equal(first, second)
    RECIPES["ensemble"].build(space, arrays, Relevances())


@pytest.mark.parametrize("name", ["ensemble", "message_passing"])
def test_arrays_of_something_else_are_refused(space, name):
    with pytest.raises(DataError, match=r"0 arrays named encoder0\.\* are no encoder of this space"):
        RECIPES[name].build(space, {}, Relevances())
