"""The images and annotations of stage `coco`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nasgem_core.config.transfer import CocoConfig
from nasgem_core.detection.annotation_file import read_annotations
from nasgem_core.detection.annotations import require_same_categories
from nasgem_core.detection.reading import readable_images, require_readable
from nasgem_core.detection.task import MeasuredSet, TrainingSet
from nasgem_core.detection.training_boxes import require_measurable, training_boxes
from nasgem_core.errors import DataError

VALIDATION, TRAIN = "", "train_"
"""Prefixes of the figures on validation images and on images that were trained on."""


@dataclass(frozen=True, eq=False)
class CocoData:
    """Images to train on, and sets to measure on by the prefix of their figures."""

    train: TrainingSet
    measured: Mapping[str, MeasuredSet]


def read_data(config: CocoConfig) -> CocoData:
    """Read the annotations, and check that the images are there.

    Raises:
        DataError: a file or folder is missing, incomplete or not in COCO's format, or the categories differ.
    """
    root = Path(config.dataset)
    if not root.is_dir():
        raise DataError(
            f"coco.dataset = {config.dataset!r} is not a folder: name one with images in {config.train}/ and "
            f"{config.validation}/ and annotations/instances_{config.train}.json, instances_{config.validation}.json"
        )
    train, validation = (
        read_annotations(root / "annotations" / f"instances_{split}.json")
        for split in (config.train, config.validation)
    )
    require_same_categories(train, validation)
    require_measurable(validation, root / config.validation)
    chosen = training_boxes(train, root / config.train)
    measured = {VALIDATION: MeasuredSet(validation, root / config.validation)}
    if config.measured_train:
        learned = train.subset(chosen.images[: config.measured_train]).with_finite_boxes()
        measured[TRAIN] = MeasuredSet(learned, root / config.train)
    return CocoData(TrainingSet(train, chosen, root / config.train), measured)


def look_through(data: CocoData) -> CocoData:
    """Return the data without those measured training images that cannot be read; training skips them too.

    Raises:
        DataError: a validation image cannot be read, or the size of an image is not that of its annotations. This is
            reported here, not hours later at the first evaluation.
    """
    measured = dict(data.measured)
    require_readable(measured[VALIDATION].annotations, measured[VALIDATION].folder)
    if TRAIN in measured:
        annotations, folder = measured[TRAIN].annotations, measured[TRAIN].folder
        measured[TRAIN] = MeasuredSet(annotations.subset(readable_images(annotations, folder)), folder)
    return CocoData(data.train, measured)


def first_images(measured: MeasuredSet, count: int) -> MeasuredSet:
    """Return the first images of a set."""
    images = np.arange(min(count, len(measured.annotations)))
    return MeasuredSet(measured.annotations.subset(images), measured.folder)
