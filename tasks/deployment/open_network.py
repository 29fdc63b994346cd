"""Trained networks by the name that a user gives: an exported folder, a weights file of a stage, a registered model."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasgem_core.backbones import spec as network
from nasgem_core.cells import cell
from nasgem_core.deployment import card
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.opening import Description, read_stored, stored_files
from nasgem_core.detection import spec as detection
from nasgem_core.detection.spec import DetectorSpec
from nasgem_core.errors import DataError
from nasgem_core.files import content_of
from nasgem_core.json_text import parse_json
from tasks.mlflow_registry.registry import download_registered, is_reference
from tasks.run.documents import read_document

if TYPE_CHECKING:
    from torch import Tensor

_CELLS = (cell.SCHEMA, "nasgem.best_cell/1")
"""Documents that hold a cell."""


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """What was trained, and the weights that it came to.

    Args:
        description: a classifier's card, or what rebuilds a detector.
        weights: its state dict.
        source: where it was found.
    """

    description: Description
    weights: "Mapping[str, Tensor]"
    source: str

    @property
    def trained(self) -> bool:
        """Whether the weights are more than a beginning; detectors are written by their training alone."""
        return not isinstance(self.description, NetworkCard) or self.description.trained

    @property
    def classifier(self) -> NetworkCard:
        """The card of a classifier; raises `DataError` where this is a detector."""
        if isinstance(self.description, NetworkCard):
            return self.description
        raise DataError(f"{self.source} is the detector {self.description.name}: use `nasgem detect` with it")

    @property
    def detector(self) -> DetectorSpec:
        """The description of a detector; raises `DataError` where this is a classifier."""
        if isinstance(self.description, DetectorSpec):
            return self.description
        raise DataError(f"{self.source} is the classifier {self.description.name}: use `nasgem predict` with it")


def is_network_name(text: str) -> bool:
    """Say whether a text names a network that `open_network` may open, and no cell."""
    if is_reference(text) or Path(text).is_dir() or text.endswith(".safetensors"):
        return True
    return text.endswith(".json") and _schema(text) in (network.SCHEMA, card.SCHEMA, detection.SCHEMA)


def _schema(path: str) -> Any:
    try:
        document = parse_json(content_of(Path(path)))
    except (OSError, ValueError):
        return None
    return document.get("schema") if isinstance(document, dict) else None


def open_network(name: str, root: Path, *, untrained: bool = False) -> TrainedNetwork:
    """Return a trained network.

    Args:
        name: a folder that `nasgem export` wrote, the `.safetensors` or `.json` file of a stage, or a registered
            model as `NAME@alias` or `NAME/version`.
        root: the repository.
        untrained: take, with fresh weights, the `.json` file of a network that was only built and the name of a
            published one as well.

    Raises:
        DataError: nothing of that name is there, or it is damaged or something else.
        NasgemError: MLflow cannot be reached.
    """
    if is_reference(name):
        with tempfile.TemporaryDirectory() as folder:
            return _trained(name, *download_registered(root, name, Path(folder)))
    path = Path(name)
    if path.is_dir():
        return _trained(name, *stored_files(path))
    if untrained and _is_published(name):
        return _fresh(name, network.PublishedSpec.for_imagenet(name))
    if path.suffix == ".json" and _schema(name) == network.SCHEMA:
        if untrained:
            return _fresh(name, _built(path))
        raise DataError(f"{name} was built and not trained, so there are no weights: train it in stage imagenet first")
    if path.suffix == ".json" and _schema(name) in _CELLS:
        raise DataError(
            f"{name} holds a cell, which is no network: `nasgem build {name} --macs 463M --output network.json` makes "
            "one of it"
        )
    if path.suffix in (".safetensors", ".json") and path.is_file():
        return _trained(name, *stored_files(path))
    raise DataError(
        f"model {name!r} is not there: name a folder that `nasgem export` wrote, a .safetensors file of a stage, or a "
        "registered model such as imagenet@champion; of a cell, `nasgem build` makes a network"
    )


def _built(path: Path) -> network.NetworkSpec:
    try:
        return network.NetworkSpec.from_dict(read_document(path))
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def _is_published(name: str) -> bool:
    """Say whether the paper's tables have a network of this name; those that are not rebuilt say why when built."""
    from nasgem_core.backbones.published.reported import REPORTED

    return name in {row.name for row in REPORTED}


def _fresh(source: str, spec: network.NetworkSpec) -> TrainedNetwork:
    """Return a network that was built and not trained: its classes have numbers, its weights are random."""
    from nasgem_core.deployment.specs import build_network
    from nasgem_core.training.classification import MEAN, STD

    size, other = spec.image_size
    if size != other:
        raise DataError(f"{source} is built for images of {size} x {other} pixels: square ones can be exported")
    classes = tuple(f"class {i}" for i in range(spec.num_classes))
    own = NetworkCard(spec.name, spec.to_dict(), classes, size, 0.875, MEAN, STD, trained=False)
    return TrainedNetwork(own, build_network(spec).state_dict(), source)


def _trained(source: str, document: Path, weights: Path) -> TrainedNetwork:
    return TrainedNetwork(*read_stored(source, document, weights), source)
