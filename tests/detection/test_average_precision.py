import contextlib
import io
import json

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from nasgem_core.detection.annotation_file import read_annotations
from nasgem_core.detection.average_precision import METRICS, average_precision
from nasgem_core.detection.detections import Detections
from nasgem_core.errors import DataError


def by_pycocotools(path, results):
    """AP as anyone would compute it: pycocotools on the files."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(path))
        evaluation = COCOeval(truth, truth.loadRes(str(results)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[:6]


def noisy_detections(annotations, generator, noise):
    """Most of the true boxes, shifted and sometimes mislabelled, and as many that are wrong."""
    count = len(annotations.labels)
    corners = np.concatenate([annotations.boxes[:, :2], annotations.boxes[:, :2] + annotations.boxes[:, 2:]], axis=1)
    corners += generator.normal(0, noise, corners.shape) * np.sqrt(annotations.areas)[:, None]
    corners[:, 2:] = np.maximum(corners[:, 2:], corners[:, :2] + 0.5)
    labels = np.where(generator.random(count) < 0.8, annotations.labels, generator.integers(0, 80, count))
    kept = generator.random(count) < 0.7
    wrong = generator.uniform(0, 200, (count, 4))
    wrong[:, 2:] += wrong[:, :2]
    return Detections(
        np.concatenate(
            [annotations.image_ids[annotations.box_images][kept], generator.choice(annotations.image_ids, count)]
        ),
        np.concatenate([labels[kept], generator.integers(0, 80, count)]),
        np.concatenate([generator.uniform(0.3, 1, kept.sum()), generator.uniform(0, 0.5, count)]),
        np.concatenate([corners[kept], wrong]),
    )


def write_results(path, annotations, found):
    numbers = [category.id for category in annotations.categories]
    rows = [
        {
            "image_id": int(image),
            "category_id": numbers[label],
            "score": float(score),
            "bbox": [float(x), float(y), float(z - x), float(w - y)],
        }
        for image, label, score, (x, y, z, w) in zip(*vars(found).values(), strict=True)
    ]
    path.write_text(json.dumps(rows))


@pytest.mark.parametrize(("seed", "noise"), [(0, 0.05), (1, 0.15)])
def test_it_equals_pycocotools_on_the_files(real, tmp_path, capsys, seed, noise):
    path = real / "annotations" / "instances_val.json"
    annotations = read_annotations(path)
    found = noisy_detections(annotations, np.random.default_rng(seed), noise)
    write_results(tmp_path / "results.json", annotations, found)
    metrics = average_precision(annotations, found)
    assert list(metrics) == list(METRICS)
    assert list(metrics.values()) == by_pycocotools(path, tmp_path / "results.json").tolist()
    assert 0 < metrics["AP"] < metrics["AP50"] < 0.9
    assert capsys.readouterr().out == ""


def perfect(annotations):
    corners = np.concatenate([annotations.boxes[:, :2], annotations.boxes[:, :2] + annotations.boxes[:, 2:]], axis=1)
    images = annotations.image_ids[annotations.box_images]
    return Detections(images, annotations.labels, np.ones(len(images)), corners)


def test_the_true_boxes_are_perfect_and_sizes_without_objects_are_left_out(small):
    annotations = read_annotations(small[0])
    assert average_precision(annotations, perfect(annotations)) == {"AP": 1, "AP50": 1, "AP75": 1, "APs": 1}


def test_nothing_found_is_zero(small):
    annotations = read_annotations(small[0])
    nothing = Detections(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 4)))
    assert average_precision(annotations, nothing) == {"AP": 0, "AP50": 0, "AP75": 0, "APs": 0}


def test_detections_of_another_set_are_refused(small):
    annotations = read_annotations(small[0])
    found = perfect(annotations)
    strange = Detections(found.image_ids + 1, found.labels, found.scores, found.boxes)
    with pytest.raises(DataError, match=r"image 12 has detections, but .* does not list it"):
        average_precision(annotations, strange)
    strange = Detections(found.image_ids, found.labels + 1, found.scores, found.boxes)
    with pytest.raises(DataError, match=r"label 2 was detected, but .* has 2 categories"):
        average_precision(annotations, strange)
