"""Average precision as COCO defines it, computed by pycocotools without its printing."""

import contextlib
import io
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from nasgem_core.detection.annotations import CocoAnnotations
from nasgem_core.detection.detections import Detections
from nasgem_core.errors import DataError

METRICS = ("AP", "AP50", "AP75", "APs", "APm", "APl")
"""Average precision over the overlaps .50:.95, at .50 and at .75, and for small, medium and large objects."""


def average_precision(annotations: CocoAnnotations, detections: Detections) -> dict[str, float]:
    """Return the metrics of `METRICS` as fractions: means over categories, with at most 100 detections per image.

    They equal those of pycocotools for the annotation file and a file of the same detections. Metrics that cannot be
    measured are left out, such as those of a size that no object has (pycocotools reports -1).

    Raises:
        DataError: a detection has an image or a label that the annotations do not list.
    """
    _require_known(annotations, detections)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = _indexed(annotations.document())
        evaluation = COCOeval(truth, _indexed(_results(annotations, detections)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    values = [float(value) for value in evaluation.stats[: len(METRICS)]]
    return {name: value for name, value in zip(METRICS, values, strict=True) if value >= 0}


def _indexed(document: dict[str, Any]) -> COCO:
    coco = COCO()
    coco.dataset = document
    coco.createIndex()
    return coco


def _results(annotations: CocoAnnotations, detections: Detections) -> dict[str, Any]:
    """Return a document of results; pycocotools' own `loadRes` fails if there are no detections."""
    document = annotations.document()
    numbers = [category.id for category in annotations.categories]
    left, top, right, bottom = detections.boxes.T
    widths, heights = right - left, bottom - top
    boxes = np.stack([left, top, widths, heights], axis=1).tolist()
    columns = (detections.image_ids, detections.labels, detections.scores, widths * heights)
    rows = zip(*(column.tolist() for column in columns), boxes, strict=True)
    document["annotations"] = [
        {
            "id": i,
            "image_id": image,
            "category_id": numbers[label],
            "score": score,
            "area": area,
            "bbox": box,
            "iscrowd": 0,
        }
        for i, (image, label, score, area, box) in enumerate(rows, start=1)
    ]
    return document


def _require_known(annotations: CocoAnnotations, detections: Detections) -> None:
    unknown = np.flatnonzero(~np.isin(detections.image_ids, annotations.image_ids))
    if len(unknown):
        image = detections.image_ids[unknown[0]]
        raise DataError(f"image {image} has detections, but {annotations.source} does not list it: use its own images")
    classes = len(annotations.categories)
    wrong = np.flatnonzero((detections.labels < 0) | (detections.labels >= classes))
    if len(wrong):
        raise DataError(
            f"label {detections.labels[wrong[0]]} was detected, but {annotations.source} has {classes} categories: "
            "use a detector that was trained on the same categories"
        )
