"""Detectors of stage `coco`: their backbones, one training, and the files of all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.config.transfer import CocoConfig
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.folders import read_network
from nasgem_core.detection.costs import detector_costs
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
from nasgem_core.weights import NETWORK, NETWORK_SCHEMA
from tasks.run.parameters import in_section
from tasks.run.placement import reader_processes
from tasks.stages import imagenet
from tasks.stages.coco_data import CocoData, first_images
from tasks.stages.imagenet_results import remove_others
from tasks.store.artifacts import DATA, METRICS, read_weights, write_bytes, write_json, write_table, write_weights
from tasks.store.checkpoints import checkpoint_folder
from tasks.store.mirror import send_checkpoint

FOLDER = DATA / "coco"
METRICS_FILE = METRICS / "coco.json"
HISTORY_FILE = FOLDER / "history.parquet"
CURVES_FILE = FOLDER / "curves.png"
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
    recipe = recipe_of(config, training.spec.settings.kind)
    identity = [task.identity, recipe.identity()]
    folder = checkpoint_folder(CHECKPOINTS / training.name, identity, __name__, world, on_warning)

    def report(progress: Progress) -> None:
        if on_progress is not None:
            on_progress(progress, task.found if "AP" in progress.metrics else {})

    with in_section("coco"):
        trained = train(
            task,
            recipe,
            folder,
            seed=seed,
            world=world,
            on_progress=report,
            on_warning=on_warning,
            on_saved=send_checkpoint,
        )
    samples = {
        prefix: detect(trained.model, first_images(measured, config.samples), world)
        for prefix, measured in data.measured.items()
        if config.samples
    }
    weights = {name: value.detach().cpu().numpy() for name, value in trained.model.state_dict().items()}
    metrics = {name: value for name, value in trained.metrics.items() if name != BROKEN}
    return TrainedDetector(training, weights, trained.history, metrics, samples)


def history_of(detectors: Sequence[TrainedDetector]) -> pd.DataFrame:
    """Return one row per report: losses, learning rate and speed after some steps, the APs after an epoch."""
    rows = [{"detector": each.training.name, **row} for each in detectors for row in each.history]
    columns = list(dict.fromkeys(name for row in rows for name in row)) or ["detector", "epoch", "step"]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype({name: float for name in columns if name != "detector"})


def summary_of(detectors: Sequence[TrainedDetector]) -> dict[str, dict[str, Any]]:
    """Return params, multiply-adds at the detector's image size, and the last APs of each detector."""
    summary = {}
    for each in detectors:
        spec = each.training.spec
        costs = detector_costs(spec.build(), spec.settings.short_side, spec.settings.long_side)
        summary[each.training.name] = {
            "backbone": each.training.classifier,
            "params": costs.params,
            "macs": costs.macs,
            **each.metrics,
        }
    return summary


def write_detectors(
    detectors: Sequence[TrainedDetector],
    summary: Mapping[str, Any],
    skipped: Mapping[str, int],
    history: pd.DataFrame,
    pictures: Mapping[str, bytes],
) -> list[str]:
    """Write the stage's files, and remove those of trainings that are no longer asked for; returns their names.

    Args:
        detectors: the trainings.
        summary: figures of each, for the metrics.
        skipped: what was left out of training, and how often.
        history: their reports.
        pictures: curves and sample detections by file name.
    """
    kept = {HISTORY_FILE, *(FOLDER / name for name in pictures)}
    for each in detectors:
        weights, spec = (FOLDER / f"{each.training.name}{end}" for end in (".safetensors", ".json"))
        write_weights(weights, NETWORK_SCHEMA, each.weights, {NETWORK: each.training.spec.to_dict()})
        write_bytes(spec, each.training.spec.to_json().encode())
        kept |= {weights, spec}
    write_table(HISTORY_FILE, "nasgem.history/1", history)
    for name, content in pictures.items():
        write_bytes(FOLDER / name, content)
    write_json(METRICS_FILE, "nasgem.metrics/1", {"detectors": summary, "skipped": skipped})
    return remove_others(FOLDER, kept)
