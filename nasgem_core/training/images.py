"""The images of the proxy task: the bundled tenth of CIFAR-10, all of it, or a folder of images."""

import hashlib
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nasgem_core.config import ProxyConfig
from nasgem_core.errors import DataError, ParameterError

CIFAR_SIZE = 32
CIFAR_VALIDATION = 5_000
PROXY_FILE = "cifar10_proxy.npz"
_PROXY_REMEDY = "restore the bundled file (git checkout or dvc checkout of data/raw)"


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Labelled images in two disjoint splits.

    Args:
        train_images: [N, H, W, 3] uint8.
        train_labels: [N] int64.
        validation_images: [M, H, W, 3] uint8.
        validation_labels: [M] int64.
        classes: name of each label.

    Raises:
        DataError: shapes, types or labels do not go together.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    validation_images: np.ndarray
    validation_labels: np.ndarray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(map(str, self.classes)))
        for split in ("train", "validation"):
            images, labels = getattr(self, f"{split}_images"), np.asarray(getattr(self, f"{split}_labels"))
            _check_split(split, images, labels, len(self.classes))
            object.__setattr__(self, f"{split}_labels", labels.astype(np.int64))
        if self.train_images.shape[1:] != self.validation_images.shape[1:]:
            raise DataError(
                f"train_images are {self.train_images.shape[1:3]} pixels and validation_images "
                f"{self.validation_images.shape[1:3]}: both splits must have one size"
            )

    @property
    def image_size(self) -> int:
        """Height and width of the images, in pixels."""
        return self.train_images.shape[1]

    @cached_property
    def mean(self) -> tuple[float, ...]:
        """Mean of each colour over the training images, of values in [0, 1]."""
        return tuple(float(value) for value in self._moments[0])

    @cached_property
    def std(self) -> tuple[float, ...]:
        """Standard deviation of each colour over the training images, of values in [0, 1]."""
        return tuple(float(value) for value in self._moments[1])

    @cached_property
    def _moments(self) -> tuple[np.ndarray, np.ndarray]:
        # A histogram of the 256 values is exact and needs no floating-point copy of the images.
        counts = np.stack([np.bincount(self.train_images[..., c].ravel(), minlength=256) for c in range(3)])
        values, weights = np.arange(256) / 255, counts / counts.sum(axis=1, keepdims=True)
        mean = weights @ values
        std = np.sqrt((weights * (values - mean[:, None]) ** 2).sum(axis=1))
        return mean, np.maximum(std, 1 / 255)

    @cached_property
    def content_hash(self) -> str:
        """32 hexadecimal digits, equal for equal images, labels and classes."""
        digest = hashlib.blake2b("\x1f".join(self.classes).encode(), digest_size=16)
        for array in (self.train_images, self.train_labels, self.validation_images, self.validation_labels):
            digest.update(str(array.shape).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def _check_split(split: str, images: np.ndarray, labels: np.ndarray, num_classes: int) -> None:
    if images.ndim != 4 or images.shape[3] != 3 or images.shape[1] != images.shape[2] or images.dtype != np.uint8:
        raise DataError(
            f"{split}_images have shape {images.shape} and type {images.dtype}: must be square [N, H, H, 3] of uint8"
        )
    if labels.shape != (len(images),) or labels.dtype.kind not in "iu":
        raise DataError(f"{split}_labels have shape {labels.shape} and type {labels.dtype}: give one integer an image")
    if len(images) < 2:
        raise DataError(f"{split}_images holds {len(images)} images: at least 2 are needed")
    if labels.min() < 0 or labels.max() >= num_classes:
        raise DataError(f"{split}_labels lie in {labels.min()}..{labels.max()}: must lie in 0..{num_classes - 1}")


def load_images(config: ProxyConfig, root: Path) -> ImageSet:
    """Load the images that `config.dataset` names.

    Args:
        config: `dataset` and, for a folder, `image_size`.
        root: folder of the bundled file and of downloads (`data/raw`).

    Raises:
        DataError: a file or folder is missing, broken or foreign, or a download failed.
        ParameterError: `image_size` is not 32 for CIFAR-10.
    """
    root = Path(root)
    if config.dataset in ("cifar10_proxy", "cifar10"):
        if config.image_size != CIFAR_SIZE:
            raise ParameterError(
                f"proxy.image_size = {config.image_size}: {config.dataset} has images of {CIFAR_SIZE} pixels; "
                f"set it to {CIFAR_SIZE}, or name a folder of images in proxy.dataset"
            )
        return _load_cifar10_proxy(root / PROXY_FILE) if config.dataset == "cifar10_proxy" else _load_cifar10(root)
    from nasgem_core.training.image_folder import load_image_folder

    return load_image_folder(Path(config.dataset), config.image_size)


def _load_cifar10_proxy(path: Path) -> ImageSet:
    keys = ("train_images", "train_labels", "validation_images", "validation_labels")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in (*keys, "train_index", "validation_index", "classes")}
    except FileNotFoundError:
        raise DataError(f"{path} is missing: {_PROXY_REMEDY}") from None
    except KeyError as error:
        raise DataError(f"{path} lacks an array ({error.args[0]}): {_PROXY_REMEDY}") from None
    except (OSError, ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} is truncated or no npz file ({error}): {_PROXY_REMEDY}") from None
    shared = np.intersect1d(arrays["train_index"], arrays["validation_index"])
    if len(shared):
        raise DataError(f"{path}: image {shared[0]} is in both splits; {_PROXY_REMEDY}")
    try:
        return ImageSet(**{key: arrays[key] for key in keys}, classes=tuple(arrays["classes"].tolist()))
    except DataError as error:
        raise DataError(f"{path}: {error}; {_PROXY_REMEDY}") from None


def _load_cifar10(root: Path) -> ImageSet:
    dataset = _open_cifar10(root)
    labels = np.asarray(dataset.targets, dtype=np.int64)
    validation = _stratified(labels, CIFAR_VALIDATION)
    return ImageSet(
        dataset.data[~validation],
        labels[~validation],
        dataset.data[validation],
        labels[validation],
        classes=tuple(dataset.classes),
    )


def _open_cifar10(root: Path) -> Any:
    from torchvision.datasets import CIFAR10

    try:
        return CIFAR10(str(root), download=True)
    except (OSError, RuntimeError) as error:
        raise DataError(
            f"CIFAR-10 is not in {root} and could not be fetched ({error}): put cifar-10-python.tar.gz there, "
            "or set proxy.dataset to cifar10_proxy"
        ) from None


def _stratified(labels: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Return a mask over `labels` with `count` true entries, the same number in each class, drawn from `seed`."""
    generator = np.random.default_rng(seed)
    classes = np.unique(labels)
    mask = np.zeros(len(labels), dtype=bool)
    for label in classes:
        members = np.flatnonzero(labels == label)
        mask[generator.choice(members, count // len(classes), replace=False)] = True
    return mask
