"""Detectors of stage `coco`: their backbones, and how one is trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.config.transfer import CocoConfig
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.folders import read_network
from nasgem_core.detection.detections import Detections
from nasgem_core.detection.settings import DetectorSettings
from nasgem_core.detection.spec import DetectorSpec, for_detection
from nasgem_core.detection.task import DetectionTask, detect
from nasgem_core.digest import arrays_digest
from nasgem_core.errors import DataError
from nasgem_core.seeding import derive_seed
from nasgem_core.training.distributed import World
from nasgem_core.training.loop import train
from nasgem_core.training.recipe import TrainingRecipe
from nasgem_core.training.task import BROKEN, Progress
from nasgem_core.weights import NETWORK_SCHEMA
from tasks.run.parameters import in_section
from tasks.run.placement import reader_processes
from tasks.stages import imagenet
from tasks.stages.coco_data import CocoData, first_images
from tasks.store.artifacts import DATA, read_weights
from tasks.store.checkpoints import checkpoint_folder, checkpoint_path
from tasks.store.mirror import send_checkpoint

FOLDER = DATA / "coco"
CHECKPOINTS = Path(".nasgem") / "checkpoints" / "coco"
IMAGES_PER_RATE = 16
"""The learning rate in params.yaml is for this many images per step."""
RATE_SHARE = {"retinanet": 0.5, "faster_rcnn": 1.0}
"""RetinaNet trains with half of the rate: .01 and .02 for 16 images, as in their papers."""
_SETTINGS = (
    "short_side",
    "long_side",
    "square",
    "pyramid_channels",
    "box_channels",
    "sampled_proposals",
    "group_normalisation",
    "frozen_normalisation",
)


@dataclass(frozen=True, eq=False)
class DetectorTraining:
    """One training of a detector.

    Args:
        spec: the detector.
        start: the weights that its backbone starts from.
        classifier: the name of the training that they come from.
        config: how it is trained.
        root_seed: root of every random stream.
    """

    spec: DetectorSpec
    start: Mapping[str, np.ndarray]
    classifier: str
    config: CocoConfig
    root_seed: int

    @property
    def name(self) -> str:
        """Name of its files and of its run."""
        return self.spec.name

    @property
    def seed(self) -> int:
        """Its own seed."""
        return derive_seed(self.root_seed, "coco", self.name)


@dataclass(frozen=True, eq=False)
class TrainedDetector:
    """A finished training: weights, reports, last evaluation, and what it finds in the first images of each set."""

    training: DetectorTraining
    weights: Mapping[str, np.ndarray]
    history: tuple[Mapping[str, float], ...]
    metrics: Mapping[str, float]
    samples: Mapping[str, Detections]


def trained_backbones() -> dict[str, NetworkCard]:
    """Return the card of the best training of each network that stage `imagenet` has written."""
    best: dict[str, NetworkCard] = {}
    for path in sorted(imagenet.FOLDER.glob("*.json")):
        try:
            # The weights hold the same document under their checksum: a changed figure would choose another training.
            card = NetworkCard.from_json(read_network(path, path.with_suffix(".safetensors"))[0])
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
        name = str(card.network.get("name"))
        if name not in best or card.metrics.get("top1", 0.0) > best[name].metrics.get("top1", 0.0):
            best[name] = card
    return best


def plan_detectors(
    config: CocoConfig, data: CocoData, backbones: Mapping[str, NetworkCard], root_seed: int
) -> list[DetectorTraining]:
    """Return the trainings that the parameters ask for; raises `DataError` where a backbone is not trained."""
    trainings = []
    for name in config.backbones:
        if name not in backbones:
            raise DataError(
                f"coco.backbones names {name!r}, and {imagenet.FOLDER} holds {', '.join(backbones) or 'no network'}: "
                "name one that is there, or have stage imagenet train it"
            )
        card = backbones[name]
        network = for_detection(NetworkSpec.from_dict(dict(card.network)))
        start, _ = read_weights(imagenet.FOLDER / f"{card.name}.safetensors", NETWORK_SCHEMA)
        values: dict[str, Any] = {field: getattr(config, field) for field in _SETTINGS}
        for kind in config.detectors:
            settings = DetectorSettings(kind=kind, mean=card.mean, std=card.std, **values)
            spec = DetectorSpec(network, data.train.annotations.categories, settings)
            trainings.append(DetectorTraining(spec, start, card.name, config, root_seed))
    return trainings


def recipe_of(config: CocoConfig, kind: str) -> TrainingRecipe:
    """Return how a detector of that kind is trained."""
    return TrainingRecipe(
        epochs=config.epochs,
        optimiser="sgd",
        learning_rate=config.learning_rate * RATE_SHARE[kind] * config.batch_size / IMAGES_PER_RATE,
        weight_decay=config.weight_decay,
        schedule="steps",
        milestones=config.milestones,
        warmup_steps=config.warmup_steps,
        averaging=0.0,
        clip_norm=config.clip_norm,
        accumulate=config.accumulate,
        checkpoint_seconds=60.0,
        evaluate_epochs=config.evaluate_epochs,
    )


@dataclass(frozen=True)
class _Prepared:
    """A training before its first step, or before it goes on."""

    task: DetectionTask
    recipe: TrainingRecipe

    @property
    def identity(self) -> list[Any]:
        """Plain values that the weights depend on."""
        return [self.task.identity, self.recipe.identity()]


def _prepare(
    training: DetectorTraining, data: CocoData, world: World, on_warning: Callable[[str], None] | None = None
) -> _Prepared:
    config, seed = training.config, training.seed
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "initialisation"))
        detector = training.spec.build()
    detector.pyramid.load_backbone({name: torch.from_numpy(value) for name, value in training.start.items()})
    task = DetectionTask(
        detector,
        {"detector": training.spec.to_dict(), "start": arrays_digest(training.start)},
        data.train,
        data.measured,
        batch_size=config.batch_size,
        accumulate=config.accumulate,
        seed=seed,
        workers=reader_processes(world.size) if world.device.type == "cuda" else 0,
        on_warning=on_warning,
    )
    return _Prepared(task, recipe_of(config, training.spec.settings.kind))


def checkpoints_of(training: DetectorTraining, data: CocoData) -> Path:
    """Return the folder of a training's checkpoints without touching it."""
    return checkpoint_path(CHECKPOINTS / training.name, _prepare(training, data, World()).identity, __name__)


def train_detector(
    training: DetectorTraining,
    data: CocoData,
    world: World,
    *,
    on_progress: Callable[[Progress, Mapping[str, Detections]], None] | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> TrainedDetector:
    """Train one detector, from its last checkpoint if there is one. All processes of a world call it alike.

    Args:
        training: which one.
        data: to train and to measure on.
        world: this process among those that train.
        on_progress: called with each report and, after an evaluation, what was found in each measured set.
        on_warning: called with a sentence about images and checkpoints that are skipped.

    Raises:
        ParameterError: a parameter of the section does not fit the images.
        DataError: an image of the validation set cannot be read.
    """
    prepared = _prepare(training, data, world, on_warning)
    task = prepared.task
    folder = checkpoint_folder(CHECKPOINTS / training.name, prepared.identity, __name__, world, on_warning)

    def report(progress: Progress) -> None:
        if on_progress is not None:
            on_progress(progress, task.found if "AP" in progress.metrics else {})

    with in_section("coco"):
        trained = train(
            task,
            prepared.recipe,
            folder,
            seed=training.seed,
            world=world,
            on_progress=report,
            on_warning=on_warning,
            on_saved=send_checkpoint,
        )
    samples = {
        prefix: detect(trained.model, first_images(measured, training.config.samples), world)
        for prefix, measured in data.measured.items()
        if training.config.samples
    }
    weights = {name: value.detach().cpu().numpy() for name, value in trained.model.state_dict().items()}
    metrics = {name: value for name, value in trained.metrics.items() if name != BROKEN}
    return TrainedDetector(training, weights, trained.history, metrics, samples)
