"""Images from a folder with `train/` and `val/`, each holding one folder of images a class."""

from pathlib import Path

import numpy as np
from PIL import Image
from torchvision.datasets import ImageFolder
from torchvision.transforms.functional import center_crop, resize

from nasgem_core.errors import DataError
from nasgem_core.training.image_files import UNREADABLE, upright
from nasgem_core.training.image_set import ImageSet


def load_image_folder(folder: Path, image_size: int) -> ImageSet:
    """Load all images, resized by the shorter side and cropped at the centre to `image_size` pixels.

    Raises:
        DataError: a folder is missing or empty, the classes of both splits differ, or an image cannot be read.
    """
    if not folder.is_dir():
        raise DataError(
            f"proxy.dataset = {str(folder)!r} is no folder: name cifar10_proxy, cifar10, "
            "or a folder with train/ and val/, each holding one folder of images a class"
        )
    train, validation = _list_images(folder / "train"), _list_images(folder / "val")
    differing = set(train.classes) ^ set(validation.classes)
    if differing:
        raise DataError(f"{folder}: class {sorted(differing)[0]!r} is in only one of train/ and val/; make them match")
    return ImageSet(
        *_read_images(train, image_size), *_read_images(validation, image_size), classes=tuple(train.classes)
    )


def _list_images(folder: Path) -> ImageFolder:
    try:
        return ImageFolder(str(folder))
    except FileNotFoundError as error:
        raise DataError(f"{folder} must hold one folder of images a class: {error}") from None


def _read_images(listing: ImageFolder, image_size: int) -> tuple[np.ndarray, np.ndarray]:
    images = np.empty((len(listing.samples), image_size, image_size, 3), dtype=np.uint8)
    for i, (path, _) in enumerate(listing.samples):
        try:
            with Image.open(path) as image:
                images[i] = np.asarray(center_crop(resize(upright(image), image_size), [image_size, image_size]))
        except UNREADABLE as error:
            raise DataError(f"{path} cannot be read as an image ({error}): replace or remove it") from None
    return images, np.asarray(listing.targets, dtype=np.int64)
