import numpy as np
import torch

from nasgem_core.detection.detections import Detections, collect, gather_detections
from nasgem_core.training.distributed import World


def result(*scores):
    count = len(scores)
    boxes = torch.arange(4.0 * count).view(count, 4)
    return {"boxes": boxes, "labels": torch.arange(count), "scores": torch.tensor(scores)}


def test_results_become_one_table():
    found = collect([(9, result(0.5, 0.25)), (4, result()), (2**53 + 1, result(0.75))])
    assert found.image_ids.tolist() == [9, 9, 2**53 + 1]
    assert found.labels.tolist() == [0, 1, 0]
    assert found.scores.tolist() == [0.5, 0.25, 0.75]
    assert found.boxes.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [0, 1, 2, 3]]
    assert len(collect([])) == 0 and collect([]).boxes.shape == (0, 4)


def test_those_of_one_image_come_by_score():
    found = collect([(1, result(0.2, 0.9, 0.4)), (2, result(0.5))]).of_image(1)
    assert found.scores.tolist() == np.float32([0.9, 0.4, 0.2]).astype(float).tolist()
    assert found.labels.tolist() == [1, 2, 0]


class TwoProcesses(World):
    """A world whose other process gives a table of its own."""

    def gather(self, value):
        return [value, collect([(3, result(0.1)), (7, result())])]


def test_tables_of_processes_are_joined_in_the_order_of_images():
    own = collect([(8, result(0.5, 0.25)), (2, result(0.75))])
    found = gather_detections(own, TwoProcesses(size=2))
    assert found.image_ids.tolist() == [2, 3, 8, 8]
    assert found.scores.tolist() == [0.75, np.float32(0.1), 0.5, 0.25]
    alone = gather_detections(own, World())
    assert isinstance(alone, Detections) and alone.image_ids.tolist() == [2, 8, 8]
