"""Trained networks opened from their files: an exported folder, or what a stage has written."""

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.folders import CARD_FILE, WEIGHTS, read_network
from nasgem_core.detection import spec as detection
from nasgem_core.detection.spec import DetectorSpec
from nasgem_core.errors import DataError
from nasgem_core.json_text import parse_json

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nasgem_core.deployment.predicting import FoundObjects, Guess

Description = NetworkCard | DetectorSpec


@dataclass(frozen=True, eq=False)
class OpenedNetwork:
    """A network that is ready to use.

    Args:
        module: in evaluation mode: a classifier, or a detector.
        description: what it was trained for: classes, size of images, accuracy.
    """

    module: "nn.Module"
    description: Description

    def classify(self, picture: "str | PathLike[str] | Image.Image", top: int = 5) -> "list[Guess]":
        """Return the likeliest classes of a picture, each with its probability.

        Raises:
            DataError: the picture cannot be read, or this is a detector.
        """
        from nasgem_core.deployment.predicting import classify

        if not isinstance(self.description, NetworkCard):
            raise DataError(f"{self.description.name} is a detector: use detect")
        return classify(self.module, self.description, _opened(picture), top)

    def detect(self, picture: "str | PathLike[str] | Image.Image", threshold: float = 0.5) -> "FoundObjects":
        """Return boxes, categories and scores of the objects in a picture.

        Raises:
            DataError: the picture cannot be read or is too thin, or this is a classifier.
        """
        from nasgem_core.deployment.predicting import find_objects
        from nasgem_core.detection.detector import Detector

        if not isinstance(self.module, Detector) or not isinstance(self.description, DetectorSpec):
            raise DataError(f"{self.description.name} is a classifier: use classify")
        names = [category.name for category in self.description.categories]
        return find_objects(self.module, names, _opened(picture), threshold)


def _opened(picture: "str | PathLike[str] | Image.Image") -> Image.Image:
    from nasgem_core.deployment.predicting import read_picture

    return picture.convert("RGB") if isinstance(picture, Image.Image) else read_picture(Path(picture))


def open_network(path: str | PathLike[str]) -> OpenedNetwork:
    """Open a trained network.

    Args:
        path: a folder that `nasgem export` wrote, or the `.safetensors` or `.json` file of stage imagenet or coco.

    Raises:
        DataError: nothing is there, or it is damaged or something else.
    """
    from nasgem_core.deployment.detectors import load_detector
    from nasgem_core.deployment.specs import load_network

    description, weights = read_stored(str(path), *stored_files(Path(path)))
    if isinstance(description, NetworkCard):
        return OpenedNetwork(load_network(description, weights), description)
    return OpenedNetwork(load_detector(description, weights), description)


def stored_files(path: Path) -> tuple[Path, Path]:
    """Return the document and the weights of the network that a folder or one of its two files names."""
    if path.is_dir():
        return path / CARD_FILE, path / WEIGHTS
    return path.with_suffix(".json"), path.with_suffix(".safetensors")


def read_stored(source: str, document: Path, weights: Path) -> "tuple[Description, Mapping[str, Tensor]]":
    """Return what a stored network is, and its weights; raises `DataError` that names the source."""
    content, tensors = read_network(document, weights)
    return _description(source, content), tensors


def _description(source: str, content: bytes) -> Description:
    try:
        document = parse_json(content)
    except ValueError:
        document = None
    try:
        if isinstance(document, dict) and document.get("schema") == detection.SCHEMA:
            return DetectorSpec.from_dict(document)
        return NetworkCard.from_dict(document)
    except DataError as error:
        raise DataError(f"{source}: {error}") from None
