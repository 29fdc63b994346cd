"""The images of a folder with `train/` and `val/` as arrays, for the proxy task."""

from pathlib import Path

import numpy as np
from torchvision.transforms.functional import center_crop, resize

from nasgem_core.errors import DataError
from nasgem_core.training.image_files import ImageFiles, list_image_files
from nasgem_core.training.image_reading import UnreadableImageError
from nasgem_core.training.image_set import ImageSet

_THINNEST = 1000
"""Largest ratio of the sides of an image: a thinner one, resized by its shorter side, could fill the memory."""


def load_image_folder(folder: Path, image_size: int) -> ImageSet:
    """Load all images, resized by the shorter side and cropped at the centre to `image_size` pixels.

    Raises:
        DataError: a folder is missing or empty, the classes of both splits differ, or an image cannot be read.
    """
    if not folder.is_dir():
        raise DataError(
            f"proxy.dataset = {str(folder)!r} is not a folder: name cifar10_proxy, cifar10, "
            "or a folder with train/ and val/, each with one folder of images per class"
        )
    train, validation = list_image_files(folder)
    return ImageSet(
        train_images=_read_images(train, image_size),
        train_labels=train.labels,
        validation_images=_read_images(validation, image_size),
        validation_labels=validation.labels,
        classes=train.classes,
        remarks=tuple(files.remark for files in (train, validation) if files.remark),
    )


def _read_images(files: ImageFiles, image_size: int) -> np.ndarray:
    images = np.empty((len(files), image_size, image_size, 3), dtype=np.uint8)
    broken: list[str] = []
    for i, name in enumerate(files.files):
        try:
            image = files.read(i)
            if max(image.size) > _THINNEST * min(image.size):
                raise UnreadableImageError(f"its sides differ by a factor above {_THINNEST}")
            images[i] = np.asarray(center_crop(resize(image, image_size), [image_size, image_size]))
        except UnreadableImageError as error:
            broken.append(f"{files.folder / name} cannot be read ({error})")
    if len(broken) > 1:
        raise DataError(f"{broken[0]}, nor can {len(broken) - 1} more of {len(files)}: replace or remove them")
    if broken:
        raise DataError(f"{broken[0]}: replace or remove it")
    return images
