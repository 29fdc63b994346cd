"""Small data sets in COCO's format, and the real one that is not part of the project."""

import json
import tarfile

import numpy as np
from PIL import Image

from tests.benchmarks.official import official


def small_document():
    """Three images of 40 x 30, 40 x 30 and 20 x 50 (width x height), two categories with a gap in their numbers."""
    return {
        "categories": [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}],
        "images": [
            {"id": 11, "file_name": "a.png", "width": 40, "height": 30},
            {"id": 5, "file_name": "b.png", "width": 40, "height": 30},
            {"id": 8, "file_name": "c.png", "width": 20, "height": 50},
        ],
        "annotations": [
            box(1, 11, 7, [2, 3, 20, 10]),
            box(2, 8, 3, [0, 0, 10, 40]),
            box(3, 11, 3, [10, 5, 30, 25]),
            box(4, 5, 7, [1, 1, 12, 12]),
        ],
    }


def box(number, image, category, rectangle, **fields):
    area = rectangle[2] * rectangle[3] * 0.5
    row = {"id": number, "image_id": image, "category_id": category, "bbox": rectangle, "area": area, "iscrowd": 0}
    return {**row, "segmentation": [[0, 0, 1, 1, 0, 1]], **fields}


def write_set(folder, document=None, name="train"):
    """Write annotations and images, and return the path of the annotations and the folder of the images."""
    document = document or small_document()
    path, images = folder / "annotations" / f"{name}.json", folder / name
    for place in (path.parent, images):
        place.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    generator = np.random.default_rng(0)
    for row in document["images"]:
        pixels = generator.integers(0, 256, (row["height"], row["width"], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(images / row["file_name"])
    return path, images


def real_set(folder):
    """Unpack COCO's miniature into a folder and return that of the data set; skips the test where it is absent."""
    with tarfile.open(official("coco_mini_320px.tar")) as archive:
        archive.extractall(folder, filter="data")
    return folder / "coco_mini_320px"
