"""The images of the proxy task: the bundled tenth of CIFAR-10, the whole of CIFAR-10, or a folder of images."""

from pathlib import Path
from typing import Any

import numpy as np

from nasgem_core.bundled_files import IMAGES
from nasgem_core.config.search import ProxyConfig
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.training.image_set import ImageSet

CIFAR_SIZE = 32
CIFAR_VALIDATION = 5_000
PROXY_FILE = "cifar10_proxy.npz"
_PROXY_REMEDY = "restore the bundled file (git checkout of data/raw, or install nasgem again)"


def load_images(config: ProxyConfig, root: Path) -> ImageSet:
    """Load the images that `config.dataset` names.

    Args:
        config: `dataset` and, for a folder, `image_size` and `holdout`.
        root: folder of downloads (`data/raw`), where the bundled file may be too.

    Raises:
        DataError: a file or folder is missing, broken or of another kind, or a download failed.
        ParameterError: `image_size` is not 32 for CIFAR-10, or a class of a folder has too few images to hold any out.
    """
    root = Path(root)
    if config.dataset in ("cifar10_proxy", "cifar10"):
        if config.image_size != CIFAR_SIZE:
            raise ParameterError(
                f"proxy.image_size = {config.image_size}: {config.dataset} has images of {CIFAR_SIZE} pixels; "
                f"set it to {CIFAR_SIZE}, or name a folder of images in proxy.dataset"
            )
        if config.dataset == "cifar10":
            return _load_cifar10(root)
        own = root / PROXY_FILE
        return _load_cifar10_proxy(own if own.exists() else IMAGES / PROXY_FILE)
    # Importing torchvision takes a second, and the bundled images do not need it.
    from nasgem_core.training.image_folder import load_image_folder

    return load_image_folder(Path(config.dataset), config.image_size, config.holdout)


def _load_cifar10_proxy(path: Path) -> ImageSet:
    keys = ("train_images", "train_labels", "validation_images", "validation_labels")
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise ValueError("it is not a file")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in (*keys, "train_index", "validation_index", "classes")}
    except FileNotFoundError:
        raise DataError(f"{path} is missing: {_PROXY_REMEDY}") from None
    except KeyError as error:
        raise DataError(f"{path} lacks an array ({error.args[0]}): {_PROXY_REMEDY}") from None
    except Exception as error:  # NumPy and zipfile let out whatever a damaged file makes of them
        raise DataError(f"{path} is truncated or not an npz file ({error}): {_PROXY_REMEDY}") from None
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
            f"CIFAR-10 is not in {root} and could not be downloaded ({error}): put cifar-10-python.tar.gz there, "
            "or set proxy.dataset to cifar10_proxy"
        ) from None


def _stratified(labels: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Return a mask over `labels` with `count` true entries, the same number in each class, drawn with `seed`."""
    generator = np.random.default_rng(seed)
    classes = np.unique(labels)
    mask = np.zeros(len(labels), dtype=bool)
    for label in classes:
        members = np.flatnonzero(labels == label)
        mask[generator.choice(members, count // len(classes), replace=False)] = True
    return mask
