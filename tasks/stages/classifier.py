"""How a network is trained to classify images, with the recipe of section `imagenet`, whichever stage asks for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.backbones.stochastic_depth import set_stochastic_depth
from nasgem_core.config.transfer import ImagenetConfig
from nasgem_core.seeding import derive_seed
from nasgem_core.training.classification import ClassificationSettings, ClassificationTask
from nasgem_core.training.distributed import World
from nasgem_core.training.image_files import ImageFiles
from nasgem_core.training.loop import train
from nasgem_core.training.recipe import TrainingRecipe
from nasgem_core.training.schedule_length import ScheduleLength
from nasgem_core.training.task import Progress, Trained
from tasks.run.parameters import in_section
from tasks.run.placement import reader_processes
from tasks.stages.initial_weights import begin
from tasks.store.checkpoints import checkpoint_folder, checkpoint_path
from tasks.store.mirror import send_checkpoint

IMAGES_PER_RATE = 256
"""The learning rate in params.yaml is for this many images per step."""
Images = tuple[ImageFiles, ImageFiles]
"""To train on, and to evaluate on."""


class ClassifierPlan(Protocol):
    """What a stage says of one of its trainings."""

    @property
    def spec(self) -> NetworkSpec:
        """The network."""

    @property
    def config(self) -> ImagenetConfig:
        """The recipe, and how images are shown."""

    @property
    def epochs(self) -> int:
        """Length of the schedule."""

    @property
    def learning_rate(self) -> float:
        """Highest one, for `IMAGES_PER_RATE` images per step."""

    @property
    def seed(self) -> int:
        """Of weights, order and crops."""

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints, whose name is completed with what the weights depend on."""


def length_of(plan: ClassifierPlan, images: int) -> ScheduleLength:
    """Return how long a classifier is trained on a number of images: with few of them longer than the plan says."""
    config = plan.config
    least = round(config.least_steps * min(1.0, plan.epochs / config.epochs))
    return ScheduleLength(plan.epochs, config.batch_size).reaching(least, images, smaller_batches=config.accumulate)


def settings_of(config: ImagenetConfig, batch_size: int) -> ClassificationSettings:
    """Return how images are shown to a classifier, so many for each step."""
    names = ("image_size", "accumulate", "crop_area", "centre_share", "label_smoothing", "broken_share")
    return ClassificationSettings(batch_size=batch_size, **{name: getattr(config, name) for name in names})


def recipe_of(plan: ClassifierPlan, images: int) -> TrainingRecipe:
    """Return how a classifier is trained on a number of images; the warm-up keeps its share of the steps."""
    config, length = plan.config, length_of(plan, images)
    warmup = config.warmup_epochs * (length.epochs / plan.epochs)
    return TrainingRecipe(
        epochs=length.epochs,
        learning_rate=plan.learning_rate * length.batch_size / IMAGES_PER_RATE,
        weight_decay=config.weight_decay,
        warmup_steps=round(warmup * (images // length.batch_size)),
        averaging=config.averaging,
        accumulate=config.accumulate,
        checkpoint_seconds=60.0,
    )


@dataclass(frozen=True)
class _Prepared:
    """A training before its first step, or before it goes on."""

    task: ClassificationTask
    recipe: TrainingRecipe
    identity: list[Any]
    """Plain values that the weights depend on."""


def _prepare(plan: ClassifierPlan, images: Images, world: World) -> _Prepared:
    config, seed = plan.config, plan.seed
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "initialisation"))
        model = plan.spec.build()
    beginning = begin(config, model, images[0].classes)
    regularisation = [config.dropout, config.stochastic_depth] if config.equal_dropout else []
    if regularisation:
        model.dropout.p = config.dropout
        set_stochastic_depth(model, config.stochastic_depth)
    network: Mapping[str, Any] = plan.spec.to_dict()
    on_gpu = world.device.type == "cuda"
    readers = reader_processes(world.size) if on_gpu else 0
    with in_section("imagenet"):
        settings = settings_of(config, length_of(plan, len(images[0])).batch_size)
        task = ClassificationTask(model, network, images, settings, seed, workers=readers, pinned=on_gpu)
        recipe = recipe_of(plan, len(images[0]))
    return _Prepared(task, recipe, [task.identity, recipe.identity(), regularisation, *beginning])


def checkpoints_of(plan: ClassifierPlan, images: Images) -> Path:
    """Return the folder of a training's checkpoints without touching it; raises as `train_network` does."""
    return checkpoint_path(plan.checkpoints, _prepare(plan, images, World()).identity, __name__)


def train_network(
    plan: ClassifierPlan,
    images: Images,
    world: World,
    *,
    until: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> tuple[Trained, tuple[str, ...]]:
    """Train one network, from its last checkpoint if there is one. All processes of a world call it alike.

    Args:
        plan: which one, and how.
        images: to train and to evaluate on.
        world: this process among those that train.
        until: epochs of the schedule after which it stops; a later call goes on.
        on_progress: called with each report.
        on_warning: called with a sentence about images and checkpoints that are skipped.

    Returns:
        The training, and the images that could not be read this time.

    Raises:
        ParameterError: a parameter of the section does not fit the images.
        DataError: too many images cannot be read.
        DivergedError: the loss is not finite.
    """
    prepared = _prepare(plan, images, world)
    folder = checkpoint_folder(plan.checkpoints, prepared.identity, __name__, world, on_warning)
    with in_section("imagenet"):
        trained = train(
            prepared.task,
            prepared.recipe,
            folder,
            seed=plan.seed,
            until=until,
            world=world,
            on_progress=on_progress,
            on_warning=on_warning,
            on_saved=send_checkpoint,
        )
    return trained, prepared.task.broken
