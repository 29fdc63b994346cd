"""A small training of a detector."""

import torch

from nasgem_core.detection.annotation_file import read_annotations
from nasgem_core.detection.detector import Detector
from nasgem_core.detection.settings import DetectorSettings
from nasgem_core.detection.task import DetectionTask, MeasuredSet, TrainingSet
from nasgem_core.detection.training_boxes import training_boxes
from nasgem_core.training.recipe import TrainingRecipe
from tests.detection.coco_files import box, small_document, write_set
from tests.detection.networks import SmallBackbone

RECIPE = TrainingRecipe(
    epochs=2,
    optimiser="sgd",
    learning_rate=0.01,
    averaging=0.0,
    schedule="steps",
    milestones=(1,),
    clip_norm=10.0,
    checkpoint_seconds=0,
    report_steps=1,
    deterministic=True,
)


def eight_images(folder, widths=(48, 64), name="train"):
    """Write eight images with a box each, and return the path of the annotations and the folder of the images."""
    document = small_document()
    document["images"] = [
        {"id": 10 + i, "file_name": f"{i}.png", "width": widths[i % 2], "height": 48} for i in range(8)
    ]
    document["annotations"] = [box(i + 1, 10 + i, (7, 3)[i % 2], [4 + i, 6, 20 + i, 24]) for i in range(8)]
    return write_set(folder, document, name)


def small_task(files, kind="retinanet", **settings):
    path, images = files
    annotations = read_annotations(path)
    torch.manual_seed(0)
    sizes = {"short_side": 48, "long_side": 64, "pyramid_channels": 8, "box_channels": 8}
    detector = Detector(SmallBackbone(4), 2, DetectorSettings(kind=kind, **sizes))
    data = TrainingSet(annotations, training_boxes(annotations, images), images)
    measured = {"": MeasuredSet(annotations, images)}
    return DetectionTask(detector, {"detector": kind}, data, measured, **{"batch_size": 4, **settings})
