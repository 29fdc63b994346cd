"""Images with boxes; in training they are mirrored at random, as a pure function of seed, epoch and image."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from nasgem_core.detection.annotations import CocoAnnotations
from nasgem_core.detection.training_boxes import TrainingBoxes
from nasgem_core.errors import DataError
from nasgem_core.seeding import derive_seed
from nasgem_core.training.image_reading import UnreadableImageError, noted_turn, opened, to_rgb, upright


class BrokenImageError(DataError):
    """The file of an image is missing or cannot be read."""


@dataclass(frozen=True)
class Sample:
    """One image.

    Args:
        name: name of its file.
        image_id: its id in the annotations.
        image: [3, H, W] uint8.
        boxes: [n, 4] float32, left, top, right and bottom in pixels.
        labels: [n] int64.
        broken: files that could not be read and in whose place this one was read.
    """

    name: str
    image_id: int
    image: Tensor
    boxes: Tensor
    labels: Tensor
    broken: tuple[str, ...] = ()

    def to(self, device: torch.device) -> "Sample":
        """Return the sample with its tensors on a device."""
        return self._with(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> "Sample":
        """Return the sample with its tensors in page-locked memory, for loaders."""
        return self._with(Tensor.pin_memory)

    def _with(self, change: Callable[[Tensor], Tensor]) -> "Sample":
        return replace(self, image=change(self.image), boxes=change(self.boxes), labels=change(self.labels))


def read_image(path: Path, size: tuple[int, int]) -> Tensor:
    """Return an image as [3, H, W] uint8 in RGB.

    If the camera noted that the image is to be turned, its annotated size says whether the boxes refer to the stored or
    to the turned pixels. Where both have the same size, nothing says it, and the image counts as broken.

    Args:
        path: the file.
        size: height and width according to the annotations.

    Raises:
        BrokenImageError: the file is missing, truncated or not an image, or it cannot be seen how it is to be turned.
        DataError: the image has another size, so the boxes cannot belong to it.
    """
    try:
        with opened(path) as image:
            noted = noted_turn(image)  # before the pixels are read: PIL turns those of a TIFF file by itself
            pixels = np.array(to_rgb(image))
            turned = pixels if noted is None else np.array(upright(image))
    except UnreadableImageError as error:
        raise BrokenImageError(f"{path} cannot be read as an image ({error}): copy it again") from None
    if noted is not None and turned.shape == pixels.shape:
        raise BrokenImageError(
            f"{path} has a note to turn it that leaves its size as it is, so that nothing says whether its boxes "
            "belong to the turned pixels: turn them as the boxes need it, and save the picture without the note"
        )
    if turned.shape[:2] == size:
        pixels = turned
    if pixels.shape[:2] != size:
        found, wanted = (f"{width} x {height}" for height, width in (pixels.shape[:2], size))
        raise DataError(f"{path} has {found} pixels, but its annotations say {wanted}: they belong to other images")
    return torch.from_numpy(pixels).permute(2, 0, 1)


def is_mirrored(seed: int, epoch: int, image_id: int) -> bool:
    """Return whether an image is mirrored in an epoch: each image in half of the epochs, independent of the others."""
    return bool(derive_seed(seed, "mirror", epoch, image_id) & 1)


def mirrored(image: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Return an image [3, H, W] and its boxes [n, 4] with left and right exchanged."""
    width = image.shape[2]
    left, top, right, bottom = boxes.unbind(1)
    return image.flip(2), torch.stack([width - right, top, width - left, bottom], dim=1)


class TrainingImages(Dataset[Sample]):
    """The images of one epoch of training.

    In place of a broken file the next readable one is used, so that every batch is full; the sample names the broken
    files.

    Args:
        annotations: the training set.
        chosen: the boxes that are trained on.
        folder: the folder of the images.
        seed: root of the mirroring.
        epoch: number of the epoch.
        mirror: whether to mirror half of the images.
    """

    def __init__(
        self,
        annotations: CocoAnnotations,
        chosen: TrainingBoxes,
        folder: Path,
        *,
        seed: int,
        epoch: int,
        mirror: bool = True,
    ) -> None:
        self.annotations, self.chosen, self.folder = annotations, chosen, folder
        self.seed, self.epoch, self.mirror = seed, epoch, mirror

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, index: int) -> Sample:
        """Return the image at a position of the chosen ones; raises `DataError` if no file can be read at all."""
        broken: list[str] = []
        for place in range(len(self)):
            position = int(index + place) % len(self)
            try:
                return self._sample(position, broken)
            except BrokenImageError:
                broken.append(self.annotations.file_names[self.chosen.images[position]])
        raise BrokenImageError(f"no image of {self.folder} can be read (first: {broken[0]}): copy the folder again")

    def _sample(self, position: int, broken: list[str]) -> Sample:
        place = int(self.chosen.images[position])
        name, image_id = self.annotations.file_names[place], int(self.annotations.image_ids[place])
        image = read_image(self.folder / name, tuple(self.annotations.sizes[place].tolist()))
        own = slice(self.chosen.offsets[position], self.chosen.offsets[position + 1])
        boxes = torch.from_numpy(self.chosen.boxes[own].copy())
        labels = torch.from_numpy(self.chosen.labels[own].copy())
        if self.mirror and is_mirrored(self.seed, self.epoch, image_id):
            image, boxes = mirrored(image, boxes)
        return Sample(name, image_id, image, boxes, labels, tuple(broken))


class MeasuredImages(Dataset[tuple[int, Tensor]]):
    """All images of a set, unchanged, with their ids; a broken file is an error."""

    def __init__(self, annotations: CocoAnnotations, folder: Path) -> None:
        self.annotations, self.folder = annotations, folder

    def __len__(self) -> int:
        return len(self.annotations)

    def __getitem__(self, index: int) -> tuple[int, Tensor]:
        """Return id and image at a position; raises `DataError` if the image cannot be read."""
        size = tuple(self.annotations.sizes[index].tolist())
        image = read_image(self.folder / self.annotations.file_names[index], size)
        return int(self.annotations.image_ids[index]), image
