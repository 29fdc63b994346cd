"""Trainings of stage `imagenet`: which ones there are, how one is done, and what comes of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.config.transfer import ImagenetConfig
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.seeding import derive_seed
from nasgem_core.training.classification import MEAN, STD
from nasgem_core.training.distributed import World
from nasgem_core.training.task import BROKEN, Progress
from tasks.stages.class_names import class_names
from tasks.stages.classifier import Images, train_network
from tasks.stages.imagenet_networks import planned_networks
from tasks.store.artifacts import DATA

FOLDER = DATA / "imagenet"
CHECKPOINTS = Path(".nasgem") / "checkpoints" / "imagenet"


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
        budget: which of several budgets the network is sized to, in words; empty for the first one.
    """

    spec: NetworkSpec
    number: int | None
    config: ImagenetConfig
    root_seed: int
    learning_rate: float
    budget: str = ""

    @property
    def network(self) -> str:
        """Name of the network in tables and files."""
        return f"{self.spec.name}_{self.budget}" if self.budget else self.spec.name

    @property
    def name(self) -> str:
        """Name of its files and of its run."""
        return f"{self.network}-{self._kind}"

    @property
    def _kind(self) -> str:
        return f"rate-{self.learning_rate:g}" if self.number is None else str(self.number)

    @property
    def seed(self) -> int:
        """Seed of weights, order and crops: equal numbers of different networks are a pair."""
        return derive_seed(self.root_seed, "imagenet", "tuning" if self.number is None else self.number)

    @property
    def epochs(self) -> int:
        """Passes over the images."""
        own = self.config.epochs
        return own if self.number is not None else min(self.config.tuning_epochs, own)

    @property
    def checkpoints(self) -> Path:
        """Folder of its checkpoints; see `ClassifierPlan`. It is the same whichever of the budgets comes first."""
        return CHECKPOINTS / f"{self.spec.name}-{self._kind}"


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
    planned = planned_networks(config, num_classes)
    rate = config.learning_rates[0]
    return [
        ClassifierTraining(spec, number, config, root_seed, rate, budget)
        for number in range(config.seeds)
        for budget, specs in planned.items()
        for spec in specs
    ]


def train_classifier(
    training: ClassifierTraining,
    images: Images,
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
    config = training.config
    names = class_names(Path(config.dataset), images[0].classes)
    trained, broken = train_network(training, images, world, on_progress=on_progress, on_warning=on_warning)
    card = NetworkCard(
        name=training.name,
        network=replace(training.spec, name=training.network).to_dict(),
        classes=names,
        image_size=config.image_size,
        centre_share=config.centre_share,
        mean=MEAN,
        std=STD,
        metrics={name: value for name, value in trained.metrics.items() if name != BROKEN},
    )
    weights = {name: value.detach().cpu() for name, value in trained.model.state_dict().items()}
    return TrainedClassifier(training, card, weights, trained.history, broken)
