"""Labelled images in two splits, as arrays."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nasgem_core.digest import digest_of
from nasgem_core.errors import DataError


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Labelled images in two disjoint splits.

    Args:
        train_images: [N, H, W, 3] uint8.
        train_labels: [N] int64.
        validation_images: [M, H, W, 3] uint8.
        validation_labels: [M] int64.
        classes: name of each label.
        remarks: lines on the files that were left out.

    Raises:
        DataError: shapes, types or labels do not match.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    validation_images: np.ndarray
    validation_labels: np.ndarray
    classes: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(map(str, self.classes)))
        for split in ("train", "validation"):
            images, labels = getattr(self, f"{split}_images"), np.asarray(getattr(self, f"{split}_labels"))
            _check_split(split, images, labels, len(self.classes))
            object.__setattr__(self, f"{split}_labels", labels.astype(np.int64))
        if self.train_images.shape[1:] != self.validation_images.shape[1:]:
            raise DataError(
                f"train_images are {self.train_images.shape[1:3]} pixels and validation_images "
                f"{self.validation_images.shape[1:3]}: both splits must have the same size"
            )

    @property
    def image_size(self) -> int:
        """Height and width of the images, in pixels."""
        return self.train_images.shape[1]

    @cached_property
    def mean(self) -> tuple[float, ...]:
        """Mean of each colour over the training images, for values in [0, 1]."""
        return tuple(float(value) for value in self._moments[0])

    @cached_property
    def std(self) -> tuple[float, ...]:
        """Standard deviation of each colour over the training images, for values in [0, 1]."""
        return tuple(float(value) for value in self._moments[1])

    @cached_property
    def _moments(self) -> tuple[np.ndarray, np.ndarray]:
        # A histogram of the 256 values is exact and does not need a floating-point copy of the images.
        counts = np.stack([np.bincount(self.train_images[..., c].ravel(), minlength=256) for c in range(3)])
        values, weights = np.arange(256) / 255, counts / counts.sum(axis=1, keepdims=True)
        mean = weights @ values
        std = np.sqrt((weights * (values - mean[:, None]) ** 2).sum(axis=1))
        return mean, np.maximum(std, 1 / 255)

    @cached_property
    def content_hash(self) -> str:
        """32 hexadecimal digits that are equal for equal images, labels and classes."""
        arrays = (self.train_images, self.train_labels, self.validation_images, self.validation_labels)
        return digest_of(["\x1f".join(self.classes), *(part for array in arrays for part in (str(array.shape), array))])


def _check_split(split: str, images: np.ndarray, labels: np.ndarray, num_classes: int) -> None:
    if images.ndim != 4 or images.shape[3] != 3 or images.shape[1] != images.shape[2] or images.dtype != np.uint8:
        raise DataError(
            f"{split}_images have shape {images.shape} and type {images.dtype}: must be square [N, H, H, 3] of uint8"
        )
    if labels.shape != (len(images),) or labels.dtype.kind not in "iu":
        raise DataError(f"{split}_labels have shape {labels.shape} and type {labels.dtype}: give one integer per image")
    if len(images) < 2:
        raise DataError(f"{split}_images has {len(images)} images: at least 2 are needed")
    if labels.min() < 0 or labels.max() >= num_classes:
        raise DataError(f"{split}_labels are in {labels.min()}..{labels.max()}: must be in 0..{num_classes - 1}")
