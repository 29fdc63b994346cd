"""The detections in many images, as arrays that can be gathered from several processes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nasgem_core.training.distributed import World


@dataclass(frozen=True, eq=False)
class Detections:
    """D detected objects.

    Args:
        image_ids: [D] int64, the id of each object's image in the annotations.
        labels: [D] int64.
        scores: [D] float64 in 0..1.
        boxes: [D, 4] float64, left, top, right and bottom in pixels of the image file.
    """

    image_ids: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def of_image(self, image_id: int) -> "Detections":
        """Return the detections in one image, highest score first."""
        places = np.flatnonzero(self.image_ids == image_id)
        places = places[np.argsort(-self.scores[places], kind="stable")]
        return Detections(self.image_ids[places], self.labels[places], self.scores[places], self.boxes[places])


def collect(found: Iterable[tuple[int, Mapping[str, Tensor]]]) -> Detections:
    """Join the results of a detector (boxes, labels, scores) for several images, each given with the image's id."""
    numbers, rows = [np.zeros(0, np.int64)], [np.zeros((0, 6))]
    for image_id, result in found:
        columns = [result["labels"], result["scores"], *result["boxes"].unbind(1)]
        rows.append(torch.stack([column.double() for column in columns], dim=1).cpu().numpy())
        numbers.append(np.full(len(rows[-1]), image_id, np.int64))
    table = np.concatenate(rows)
    return Detections(np.concatenate(numbers), table[:, 0].astype(np.int64), table[:, 1], table[:, 2:])


def gather_detections(own: Detections, world: World) -> Detections:
    """Return the detections of all processes in the order of image ids, the same on every process.

    All processes must call it together, and no two of them may have processed the same image.
    """
    columns = zip(*(vars(table).values() for table in world.gather(own)), strict=True)
    image_ids, labels, scores, boxes = (np.concatenate(parts) for parts in columns)
    order = np.argsort(image_ids, kind="stable")
    return Detections(image_ids[order], labels[order], scores[order], boxes[order])
