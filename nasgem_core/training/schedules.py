"""Learning rates: a pure function of the step, so that a resumed training needs no state of a schedule."""

from nasgem_core.cosine import cosine_decay
from nasgem_core.training.recipe import TrainingRecipe

STEP_FACTOR = 0.1


def learning_rate(recipe: TrainingRecipe, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of a step of the optimiser, counted from 0 over all epochs.

    During w warm-up steps, step k has the share (k + 1) / (w + 1) of the rate. After them, `cosine` falls from the
    whole rate to zero, and `steps` multiplies it by 0.1 after each of the milestones.
    """
    steps, warmup = recipe.epochs * steps_per_epoch, recipe.warmup_steps
    if recipe.schedule == "cosine":
        factor = warm_cosine(step, steps, warmup)
    elif step < warmup:
        factor = _rising(step, warmup)
    else:
        factor = STEP_FACTOR ** sum(step >= epoch * steps_per_epoch for epoch in recipe.milestones)
    return recipe.learning_rate * factor


def warm_cosine(step: int, steps: int, warmup: int) -> float:
    """Return the share of the peak learning rate at a step of `steps`: a linear warm-up, then a cosine to zero."""
    return _rising(step, warmup) if step < warmup else cosine_decay(step - warmup, max(1, steps - warmup))


def _rising(step: int, warmup: int) -> float:
    return (step + 1) / (warmup + 1)
