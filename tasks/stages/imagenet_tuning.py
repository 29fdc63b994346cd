"""The learning rate of each network of stage `imagenet`: the best of a grid, on images and a seed not reported."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from nasgem_core.errors import DivergedError, ParameterError
from nasgem_core.training.hold_out import hold_out
from tasks.run.parameters import in_section
from tasks.stages.classifier import Images
from tasks.stages.imagenet import ClassifierTraining, TrainedClassifier

Grid = Sequence[Mapping[str, Any]]
"""For each learning rate the rate and its `top1` and `validation_loss`, None where the training diverged."""


def tune(
    trainings: Sequence[ClassifierTraining],
    images: Images,
    train: Callable[[ClassifierTraining, Images], TrainedClassifier],
    *,
    before: Callable[[Sequence[ClassifierTraining], Images], None] = lambda *_: None,
) -> tuple[list[ClassifierTraining], dict[str, Grid]]:
    """Return the trainings with the learning rate that was best for their network, and what each rate gave.

    Each network is trained with each of `imagenet.learning_rates` on a part of the training images and judged on the
    others. With one rate there is nothing to choose, and nothing is trained. All processes of a world call it alike.

    Args:
        trainings: which ones are planned.
        images: of the stage; those of validation are not used.
        train: does one training; each goes on from its last checkpoint.
        before: called with all of them before the first is done.

    Raises:
        ParameterError: all trainings of a network diverged, or a class has a single image.
    """
    rates = trainings[0].config.learning_rates if trainings else ()
    if len(rates) < 2:
        return list(trainings), {}
    with in_section("imagenet"):
        parts = hold_out(images[0], trainings[0].config.tuning_share, trainings[0].root_seed)
    first = {training.network: training for training in reversed(trainings)}
    names = dict.fromkeys(training.network for training in trainings)
    tried = {name: [replace(first[name], number=None, learning_rate=rate) for rate in rates] for name in names}
    before(list(chain(*tried.values())), parts)
    grids: dict[str, Grid] = {
        name: [_judged(training, parts, train) for training in own] for name, own in tried.items()
    }
    chosen = {name: best_rate(name, grid) for name, grid in grids.items()}
    return [replace(training, learning_rate=chosen[training.network]) for training in trainings], grids


def best_rate(name: str, grid: Grid) -> float:
    """Return the rate of the highest top-1, of equals that of the lowest loss; raises `ParameterError` without any."""
    ended = [row for row in grid if row["top1"] is not None]
    if not ended:
        rates = [row["learning_rate"] for row in grid]
        raise ParameterError(f"imagenet.learning_rates = {rates}: {name} diverged with each of them; lower them")
    return max(ended, key=lambda row: (row["top1"], -row["validation_loss"]))["learning_rate"]


def _judged(
    training: ClassifierTraining, parts: Images, train: Callable[[ClassifierTraining, Images], TrainedClassifier]
) -> Mapping[str, Any]:
    row = {"learning_rate": training.learning_rate, "top1": None, "validation_loss": None}
    try:
        metrics = train(training, parts).card.metrics
    except DivergedError:
        return row
    return row | {name: metrics[name] for name in ("top1", "validation_loss")}
