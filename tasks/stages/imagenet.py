"""Classifiers of stage `imagenet`: which ones are trained, one training, and the files of all."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from nasgem_core.backbones.layout import LAYOUTS, GEMNetLayout
from nasgem_core.backbones.published.catalogue import published_names, why_missing
from nasgem_core.backbones.published.strides import suitable_stride
from nasgem_core.backbones.scaled import mobilenet_to_budget, shared_budget
from nasgem_core.backbones.spec import GEMNetSpec, NetworkSpec, PublishedSpec
from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.cells.cell import Cell
from nasgem_core.config.transfer import ImagenetConfig
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.seeding import derive_seed
from nasgem_core.training.classification import MEAN, STD, ClassificationSettings, ClassificationTask
from nasgem_core.training.distributed import World
from nasgem_core.training.image_files import ImageFiles
from nasgem_core.training.loop import Progress, train
from nasgem_core.training.recipe import TrainingRecipe
from nasgem_core.training.task import BROKEN, broken_images
from nasgem_core.weights import NETWORK, NETWORK_SCHEMA
from tasks.run.parameters import in_section
from tasks.run.placement import reader_processes
from tasks.stages.class_names import class_names
from tasks.store.artifacts import DATA, METRICS, write_bytes, write_json, write_table, write_weights
from tasks.store.checkpoints import checkpoint_folder

FOLDER = DATA / "imagenet"
METRICS_FILE = METRICS / "imagenet.json"
HISTORY_FILE = FOLDER / "history.parquet"
CURVES_FILE = FOLDER / "curves.png"
GEMNET_FOLDER = DATA / "gemnet"
CHECKPOINTS = Path(".nasgem") / "checkpoints" / "imagenet"
GEMNET, MOBILENET = "gemnet", "mobilenet_v2"
FIRST_GEMNET = "gemnet_a"
IMAGES_PER_RATE = 256
"""The learning rate in params.yaml is for this many images per step."""
_COLUMNS = ("epoch", "step", "loss", "learning_rate", "images_per_second", "top1", "top5", "validation_loss")


@dataclass(frozen=True)
class ClassifierTraining:
    """One training of a network.

    Args:
        spec: the network.
        number: of this training among those of the network, which differ by their seeds.
        config: how it is trained.
        root_seed: root of every random stream.
    """

    spec: NetworkSpec
    number: int
    config: ImagenetConfig
    root_seed: int

    @property
    def name(self) -> str:
        """Name of its files and of its run."""
        return f"{self.spec.name}-{self.number}"

    @property
    def seed(self) -> int:
        """Its own seed."""
        return derive_seed(self.root_seed, "imagenet", self.number)


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
    check_network_names(config)
    with in_section("imagenet"):
        macs = met_budget(config, num_classes)
        specs = [spec for name in config.networks for spec in _specs_of(name, config, num_classes, macs)]
    names = [spec.name for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"imagenet.networks = {list(config.networks)}: {name} would be trained twice")
    return [ClassifierTraining(spec, number, config, root_seed) for number in range(config.seeds) for spec in specs]


def check_network_names(config: ImagenetConfig) -> None:
    """Raise `ParameterError` for a name that is not one of a network."""
    known = (GEMNET, MOBILENET, *published_names())
    for name in config.networks:
        if name not in known:
            raise ParameterError(
                f"imagenet.networks names {name!r}: {why_missing(name)}; choose among {', '.join(known)}"
            )


def met_budget(config: ImagenetConfig, num_classes: int) -> int:
    """Return the multiply-adds that networks are sized to; GEMNet and MobileNetV2 get some that both can have.

    Raises:
        ParameterError: there are none.
        DataError: stage `gemnet` has not written a network.
    """
    if not config.macs or not {GEMNET, MOBILENET} <= set(config.networks):
        return config.macs
    size = (config.image_size, config.image_size)
    return shared_budget(_searched_cell(), _layout_for(size), num_classes, size, config.macs)


def _specs_of(name: str, config: ImagenetConfig, num_classes: int, macs: int) -> list[NetworkSpec]:
    size = (config.image_size, config.image_size)
    if name == GEMNET:
        if not macs:
            return [replace(spec, num_classes=num_classes, image_size=size) for spec in _built_gemnets()]
        return [
            fit_to_budget(
                GEMNET, _searched_cell(), _layout_for(size), num_classes=num_classes, image_size=size, macs=macs
            )
        ]
    if name == MOBILENET:
        if not macs:
            raise ParameterError(
                f"macs = 0, and networks names {MOBILENET}, which is sized to it: set it, or name mobilenet_v2_1_4"
            )
        return [mobilenet_to_budget(num_classes, size, macs)]
    return [PublishedSpec(name, num_classes, size)]


def _layout_for(size: tuple[int, int]) -> GEMNetLayout:
    stride = suitable_stride(size)
    return next(layout for layout in LAYOUTS.values() if layout.strides[-1] == stride)


def _searched_cell() -> Cell:
    built = _built_gemnets()
    # The folder may hold networks that the stage did not write.
    return next((spec for spec in built if spec.name == FIRST_GEMNET), built[0]).cell


def _built_gemnets() -> list[GEMNetSpec]:
    found = []
    for path in sorted(GEMNET_FOLDER.glob("*.json")):
        try:
            spec = NetworkSpec.from_json(path.read_bytes())
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
        if isinstance(spec, GEMNetSpec):
            found.append(spec)
    if not found:
        raise DataError(f"{GEMNET_FOLDER} holds no network: run `nasgem stage gemnet`, or train others")
    return found


def settings_of(config: ImagenetConfig) -> ClassificationSettings:
    """Return how images are shown to a classifier."""
    names = ("image_size", "batch_size", "accumulate", "crop_area", "centre_share", "label_smoothing", "broken_share")
    return ClassificationSettings(**{name: getattr(config, name) for name in names})


def recipe_of(config: ImagenetConfig, images: int) -> TrainingRecipe:
    """Return how a classifier is trained on a number of images."""
    return TrainingRecipe(
        epochs=config.epochs,
        learning_rate=config.learning_rate * config.batch_size / IMAGES_PER_RATE,
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
    network = training.spec.to_dict()
    on_gpu = world.device.type == "cuda"
    readers = reader_processes(world.size) if on_gpu else 0
    names = class_names(Path(config.dataset), images[0].classes)
    with in_section("imagenet"):
        task = ClassificationTask(model, network, images, settings_of(config), seed, workers=readers, pinned=on_gpu)
        recipe = recipe_of(config, len(images[0]))
        identity = [task.identity, recipe.identity()]
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


def history_of(classifiers: Sequence[TrainedClassifier]) -> pd.DataFrame:
    """Return one row per report: loss, learning rate and speed after some steps, the evaluation after an epoch."""
    rows: list[dict[str, Any]] = [
        {"network": each.training.spec.name, "seed": each.training.number, **{k: row.get(k) for k in _COLUMNS}}
        for each in classifiers
        for row in each.history
    ]
    table = pd.DataFrame(rows, columns=["network", "seed", *_COLUMNS])
    return table.astype(dict.fromkeys(_COLUMNS[2:], float))


def summary_of(
    classifiers: Sequence[TrainedClassifier], costs: Mapping[str, tuple[int, int]]
) -> dict[str, dict[str, Any]]:
    """Return, for each network, MACs, params, the accuracies of its trainings, their mean and standard deviation.

    Args:
        classifiers: the trainings.
        costs: MACs and params by the name of the network.
    """
    networks: dict[str, dict[str, Any]] = {}
    for each in classifiers:
        name = each.training.spec.name
        entry = networks.setdefault(name, {"macs": costs[name][0], "params": costs[name][1], "top1": [], "top5": []})
        for figure in ("top1", "top5"):
            entry[figure].append(each.card.metrics[figure])
    for entry in networks.values():
        for figure in ("top1", "top5"):
            values = entry[figure]
            entry[f"{figure}_mean"] = float(np.mean(values))
            entry[f"{figure}_deviation"] = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return networks


def write_classifiers(
    classifiers: Sequence[TrainedClassifier], summary: Mapping[str, Any], history: pd.DataFrame, curves: bytes
) -> list[str]:
    """Write the stage's files, and remove those of trainings that are no longer asked for; returns their names."""
    kept = {HISTORY_FILE, CURVES_FILE}
    for each in classifiers:
        weights, card = (FOLDER / f"{each.training.name}{end}" for end in (".safetensors", ".json"))
        arrays = {name: value.numpy() for name, value in each.weights.items()}
        write_weights(weights, NETWORK_SCHEMA, arrays, {NETWORK: each.card.to_dict()})
        write_bytes(card, (each.card.to_json() + "\n").encode())
        kept |= {weights, card}
    write_table(HISTORY_FILE, "nasgem.history/1", history)
    write_bytes(CURVES_FILE, curves)
    broken = max((broken_images(each.history) for each in classifiers), default=0)
    write_json(METRICS_FILE, "nasgem.metrics/1", {"networks": summary, BROKEN: broken})
    return remove_others(FOLDER, kept)


def remove_others(folder: Path, kept: Collection[Path]) -> list[str]:
    """Remove weights, descriptions and pictures that are not kept; returns the names of their networks."""
    gone = [path for path in folder.iterdir() if path not in kept and path.suffix in (".safetensors", ".json", ".png")]
    for path in gone:
        path.unlink()
    return sorted(path.stem for path in gone if path.suffix == ".safetensors")
