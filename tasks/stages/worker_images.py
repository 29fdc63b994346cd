"""What a worker is sent that lacks the images of its task, and keeps."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nasgem_core.training.image_files import list_image_files
from tasks.stages.coco import DetectorTraining
from tasks.stages.finalist_training import FinalistTraining
from tasks.stages.imagenet import ClassifierTraining
from tasks.stages.proxy_images import open_unchanged_images
from tasks.stages.sent_coco import pack_coco
from tasks.stages.sent_folder import keep_files, pack_class_folders
from tasks.stages.sent_images import keep_images, pack_images
from tasks.store.serialization import decode


def packed_images(inputs: Mapping[str, Any]) -> bytes:
    """Return the images of a task as bytes of plain values.

    Args:
        inputs: those of the task.

    Raises:
        DataError: this machine does not have them any more, or they are too many to send.
    """
    placement, training = inputs["placement"], inputs.get("training")
    if isinstance(training, FinalistTraining | ClassifierTraining):
        return pack_class_folders(list_image_files(Path(placement.images)))
    if isinstance(training, DetectorTraining):
        return pack_coco(training.config)
    return pack_images(open_unchanged_images(inputs["config"], inputs["images_hash"], placement))


def keep_packed_images(packed: bytes) -> None:
    """Keep the images of a task; raises `DataError` if they are damaged."""
    found = decode(packed)
    if "files" in found:
        keep_files(found)
    else:
        keep_images(found)
