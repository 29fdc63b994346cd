from dataclasses import replace

import pytest

from nasgem_core.errors import ParameterError
from nasgem_core.training.recipe import TrainingRecipe


def test_the_identity_leaves_out_how_the_work_is_done():
    recipe = TrainingRecipe()
    other = replace(recipe, checkpoint_seconds=1.0, report_steps=3, channels_last=False)
    assert other.identity() == recipe.identity()
    for change in ({"epochs": 2}, {"learning_rate": 0.2}, {"accumulate": 4}, {"precision": "float32"}):
        assert replace(recipe, **change).identity() != recipe.identity()


def test_milestones_must_rise_and_need_steps():
    assert TrainingRecipe(schedule="steps", milestones=(8, 11)).milestones == (8, 11)
    with pytest.raises(ParameterError, match=r"milestones = \[8, 8\]: epochs must rise"):
        TrainingRecipe(schedule="steps", milestones=(8, 8))
    with pytest.raises(ParameterError, match="only schedule steps has them"):
        TrainingRecipe(milestones=(8,))
