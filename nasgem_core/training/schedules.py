"""Learning rates: a pure function of the step, so that a training that goes on needs no state of a schedule."""

import math

from nasgem_core.training.recipe import TrainingRecipe

STEP_FACTOR = 0.1


def learning_rate(recipe: TrainingRecipe, step: int, steps_an_epoch: int) -> float:
    """Return the learning rate of a step of the optimiser, counted from 0 over all epochs.

    Step k of w warm-up steps has the share (k + 1) / (w + 1) of the rate. A cosine then falls from the whole rate to
    zero over the other steps; steps multiply it by 0.1 after each of the milestones.
    """
    steps, warmup = recipe.epochs * steps_an_epoch, recipe.warmup_steps
    if step < warmup:
        factor = (step + 1) / (warmup + 1)
    elif recipe.schedule == "cosine":
        factor = 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
    else:
        factor = STEP_FACTOR ** sum(step >= epoch * steps_an_epoch for epoch in recipe.milestones)
    return recipe.learning_rate * factor
