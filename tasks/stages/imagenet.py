"""Trainings of stage `imagenet`: which ones there are, how one is done, and what comes of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.backbones.stochastic_depth import set_stochastic_depth
from nasgem_core.config.transfer import ImagenetConfig
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.seeding import derive_seed
from nasgem_core.training.classification import MEAN, STD, ClassificationSettings, ClassificationTask
from nasgem_core.training.distributed import World
from nasgem_core.training.image_files import ImageFiles
from nasgem_core.training.loop import Progress, train
from nasgem_core.training.recipe import TrainingRecipe
from nasgem_core.training.task import BROKEN
from tasks.run.parameters import in_section
from tasks.run.placement import reader_processes
from tasks.stages.class_names import class_names
from tasks.stages.imagenet_networks import planned_networks
from tasks.store.artifacts import DATA
from tasks.store.checkpoints import checkpoint_folder

FOLDER = DATA / "imagenet"
CHECKPOINTS = Path(".nasgem") / "checkpoints" / "imagenet"
IMAGES_PER_RATE = 256
"""The learning rate in params.yaml is for this many images per step."""


@dataclass(frozen=True)
class ClassifierTraining:
    """One training of a network.

    Args:
        spec: the network.
        number: of this training among those of the network, which differ by their seeds; None for one that tries a
            learning rate and is not reported.
        config: how it is trained.
        root_seed: root of every random stream.
        learning_rate: for 256 images per step.
    """

    spec: NetworkSpec
    number: int | None
    config: ImagenetConfig
    root_seed: int
    learning_rate: float

    @property
    def name(self) -> str:
        """Name of its files and of its run."""
        kind = f"rate-{self.learning_rate:g}" if self.number is None else self.number
        return f"{self.spec.name}-{kind}"

    @property
    def seed(self) -> int:
        """Seed of weights, order and crops: equal numbers of different networks are a pair."""
        return derive_seed(self.root_seed, "imagenet", "tuning" if self.number is None else self.number)

    @property
    def epochs(self) -> int:
        """Passes over the images."""
        own = self.config.epochs
        return own if self.number is not None else min(self.config.tuning_epochs, own)


@dataclass(frozen=True)
class TrainedClassifier:
    """A finished training: weights, reports, last evaluation, and the images that could not be read this time."""

    training: ClassifierTraining
    card: NetworkCard
    weights: Mapping[str, torch.Tensor]
    history: tuple[Mapping[str, float], ...]
    broken: tuple[str, ...]


def plan_classifiers(config: ImagenetConfig, num_classes: int, root_seed: int) -> list[ClassifierTraining]:
    """Return the trainings that the parameters ask for: every network with the first seed, then with the next one.

    Raises:
        ParameterError: a network cannot have the multiply-adds asked for, or two are the same.
        DataError: GEMNet is to be trained, and stage `gemnet` has not written one.
    """
    specs = planned_networks(config, num_classes)
    rate = config.learning_rates[0]
    return [
        ClassifierTraining(spec, number, config, root_seed, rate) for number in range(config.seeds) for spec in specs
    ]


def settings_of(config: ImagenetConfig) -> ClassificationSettings:
    """Return how images are shown to a classifier."""
    names = ("image_size", "batch_size", "accumulate", "crop_area", "centre_share", "label_smoothing", "broken_share")
    return ClassificationSettings(**{name: getattr(config, name) for name in names})


def recipe_of(training: ClassifierTraining, images: int) -> TrainingRecipe:
    """Return how a classifier is trained on a number of images."""
    config = training.config
    return TrainingRecipe(
        epochs=training.epochs,
        learning_rate=training.learning_rate * config.batch_size / IMAGES_PER_RATE,
        weight_decay=config.weight_decay,
        warmup_steps=round(config.warmup_epochs * (images // config.batch_size)),
        averaging=config.averaging,
        accumulate=config.accumulate,
        checkpoint_seconds=60.0,
    )


def train_classifier(
    training: ClassifierTraining,
    images: tuple[ImageFiles, ImageFiles],
    world: World,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> TrainedClassifier:
    """Train one network, from its last checkpoint if there is one. All processes of a world call it alike.

    Args:
        training: which one.
        images: to train and to evaluate on.
        world: this process among those that train.
        on_progress: called with each report.
        on_warning: called with a sentence about images and checkpoints that are skipped.

    Raises:
        ParameterError: a parameter of the section does not fit the images.
        DataError: too many images cannot be read.
    """
    config, seed = training.config, training.seed
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "initialisation"))
        model = training.spec.build()
    regularisation = [config.dropout, config.stochastic_depth] if config.equal_dropout else []
    if regularisation:
        model.dropout.p = config.dropout
        set_stochastic_depth(model, config.stochastic_depth)
    network = training.spec.to_dict()
    on_gpu = world.device.type == "cuda"
    readers = reader_processes(world.size) if on_gpu else 0
    names = class_names(Path(config.dataset), images[0].classes)
    with in_section("imagenet"):
        task = ClassificationTask(model, network, images, settings_of(config), seed, workers=readers, pinned=on_gpu)
        recipe = recipe_of(training, len(images[0]))
        identity = [task.identity, recipe.identity(), regularisation]
        folder = checkpoint_folder(CHECKPOINTS / training.name, identity, __name__, world, on_warning)
        trained = train(task, recipe, folder, seed=seed, world=world, on_progress=on_progress, on_warning=on_warning)
    card = NetworkCard(
        name=training.name,
        network=network,
        classes=names,
        image_size=config.image_size,
        centre_share=config.centre_share,
        mean=MEAN,
        std=STD,
        metrics={name: value for name, value in trained.metrics.items() if name != BROKEN},
    )
    weights = {name: value.detach().cpu() for name, value in trained.model.state_dict().items()}
    return TrainedClassifier(training, card, weights, trained.history, task.broken)
