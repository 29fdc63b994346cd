import itertools

import numpy as np
import pytest
import torch

from nasgem_core.training.recipe import TrainingRecipe
from nasgem_core.training.schedules import learning_rate


def rates(recipe, steps_per_epoch):
    return [learning_rate(recipe, step, steps_per_epoch) for step in range(recipe.epochs * steps_per_epoch)]


def test_cosine_is_that_of_torch():
    recipe = TrainingRecipe(epochs=4, learning_rate=0.5)
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.5)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 40)
    expected = []
    for _ in range(40):
        expected.append(schedule.get_last_lr()[0])
        optimiser.step()
        schedule.step()
    np.testing.assert_allclose(rates(recipe, 10), expected, rtol=1e-12)


def test_warm_up_rises_evenly_to_where_the_schedule_begins():
    found = rates(TrainingRecipe(epochs=2, learning_rate=1.0, warmup_steps=4), 10)
    np.testing.assert_allclose(found[:5], [0.2, 0.4, 0.6, 0.8, 1.0])
    assert all(a > b for a, b in itertools.pairwise(found[4:])) and found[-1] > 0


def test_steps_divide_by_ten_after_each_milestone():
    recipe = TrainingRecipe(epochs=5, learning_rate=1.0, schedule="steps", milestones=(2, 4), warmup_steps=1)
    assert rates(recipe, 2) == pytest.approx([0.5, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01])


def test_a_warm_up_longer_than_the_training_never_reaches_the_rate():
    found = rates(TrainingRecipe(epochs=1, learning_rate=1.0, warmup_steps=100), 10)
    assert found[-1] == pytest.approx(10 / 101)
