"""What a trained network says of a picture: the likeliest classes, or the objects in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from nasgem_core.deployment.card import NetworkCard
from nasgem_core.detection.detector import Detector
from nasgem_core.detection.training_boxes import THINNEST
from nasgem_core.errors import DataError
from nasgem_core.training.crops import centre_crop
from nasgem_core.training.image_reading import TooLargeImageError, UnreadableImageError, read_image


@dataclass(frozen=True)
class Guess:
    """One class, and how likely the network finds it."""

    name: str
    probability: float


@dataclass(frozen=True, eq=False)
class FoundObjects:
    """What a detector found in a picture, highest score first.

    Args:
        boxes: [n, 4] float64, left, top, right and bottom in pixels.
        names: the category of each.
        scores: [n] in 0..1.
    """

    boxes: np.ndarray
    names: Sequence[str]
    scores: np.ndarray

    def above(self, threshold: float) -> "FoundObjects":
        """Return those with a score of at least `threshold`."""
        count = int((self.scores >= threshold).sum())
        return FoundObjects(self.boxes[:count], self.names[:count], self.scores[:count])


def read_picture(path: Path) -> Image.Image:
    """Return a picture as RGB, turned as its EXIF note says: cameras store pictures as they were held.

    Raises:
        DataError: the file is missing, no picture, or of more pixels than PIL opens.
    """
    if not path.is_file():
        raise DataError(f"{path} is no file: name a picture, such as photo.jpg")
    try:
        return read_image(path)
    except TooLargeImageError as error:
        raise DataError(f"{path} {error}: make it smaller") from None
    except UnreadableImageError as error:
        raise DataError(f"{path} cannot be read as a picture ({error}): name a JPEG, PNG or other image") from None


def prepare(picture: Image.Image, card: NetworkCard) -> Tensor:
    """Return a picture as the network of a card wants it, [1, 3, image_size, image_size] float32."""
    pixels = torch.from_numpy(centre_crop(picture, card.image_size, card.centre_share).copy())
    mean, std = (torch.tensor(moment).view(3, 1, 1) for moment in (card.mean, card.std))
    return ((pixels.permute(2, 0, 1) / 255 - mean) / std).unsqueeze(0)


def classify(network: nn.Module, card: NetworkCard, picture: Image.Image, top: int) -> list[Guess]:
    """Return the `top` likeliest classes, or all where there are fewer, the likeliest first."""
    with torch.inference_mode():
        probabilities = network.eval()(prepare(picture, card))[0].softmax(dim=0)
    values, labels = probabilities.topk(min(top, len(card.classes)))
    return [Guess(card.classes[int(label)], float(value)) for value, label in zip(values, labels, strict=True)]


def find_objects(detector: Detector, names: Sequence[str], picture: Image.Image, threshold: float) -> FoundObjects:
    """Return what a detector finds in a picture with a score of at least `threshold`.

    Args:
        detector: in any mode; a lower threshold than its own becomes its own.
        names: of its categories, by label.
        picture: in RGB.
        threshold: lowest score that is kept. What a higher one leaves is the same: boxes with lower scores put none
            with higher ones out.

    Raises:
        DataError: the picture is too thin.
    """
    if max(picture.size) > THINNEST * min(picture.size):
        width, height = picture.size
        raise DataError(f"the picture has {width} x {height} pixels: crop it, its sides may differ {THINNEST} times")
    image = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    detector.lowest_score = min(detector.lowest_score, threshold)
    with torch.inference_mode():
        (found,) = detector.eval()([image])
    scores = found["scores"].double().numpy()
    kept = np.flatnonzero(scores >= threshold)
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    labels = found["labels"].numpy()[kept]
    return FoundObjects(found["boxes"].double().numpy()[kept], [names[label] for label in labels], scores[kept])
