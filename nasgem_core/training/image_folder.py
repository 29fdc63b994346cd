"""The images of a folder with `train/` and `val/` as arrays, for the proxy task."""

from pathlib import Path

import numpy as np
from torchvision.transforms.functional import center_crop, resize

from nasgem_core.errors import DataError
from nasgem_core.seeding import derive_seed
from nasgem_core.training.hold_out import hold_out
from nasgem_core.training.image_files import ImageFiles, list_image_files
from nasgem_core.training.image_reading import UnreadableImageError
from nasgem_core.training.image_set import ImageSet

_THINNEST = 1000
"""Largest ratio of the sides of an image: a thinner one, resized by its shorter side, could fill the memory."""

_SEED = derive_seed(0, "proxy")
"""Of the images that are held out: the same in every search, drawn apart from those that judge the finalists."""


def load_image_folder(folder: Path, image_size: int, holdout: float = 0.0) -> ImageSet:
    """Load the images, resized by the shorter side and cropped at the centre to `image_size` pixels.

    Args:
        folder: has `train/` and `val/`, each with a folder per class, or is split into these.
        image_size: height and width in pixels.
        holdout: share of each class's training images that is held out for validation, while `val/` is not read; with
            0 the images in `val/` are for validation.

    Raises:
        DataError: a folder is missing or empty, the classes of both splits differ, or an image cannot be read.
        ParameterError: images are to be held out, and a class has a single one.
    """
    if not folder.is_dir():
        raise DataError(
            f"proxy.dataset = {str(folder)!r} is not a folder: name cifar10_proxy, cifar10, "
            "or a folder with train/ and val/, each with one folder of images per class"
        )
    train, validation = list_image_files(folder)
    remarks = tuple(files.remark for files in (train, validation) if files.remark)
    if holdout:
        remedy = "set it to 0, and the images in val/ judge cells"
        train, validation = hold_out(train, holdout, _SEED, field="proxy.holdout", remedy=remedy)
    return ImageSet(
        train_images=_read_images(train, image_size),
        train_labels=train.labels,
        validation_images=_read_images(validation, image_size),
        validation_labels=validation.labels,
        classes=train.classes,
        remarks=remarks,
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
