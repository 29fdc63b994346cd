import json

import numpy as np
import pytest

from nasgem_core.detection.annotation_file import read_annotations
from nasgem_core.detection.annotations import Category, require_same_categories
from nasgem_core.errors import DataError
from tests.detection.coco_files import box, small_document, write_set


def written(tmp_path, **changes):
    return write_set(tmp_path, {**small_document(), **changes})[0]


def test_the_document_is_the_file_without_outlines(small):
    document, original = read_annotations(small[0]).document(), small_document()
    rows = [{name: value for name, value in row.items() if name != "segmentation"} for row in original["annotations"]]
    assert document["annotations"] == rows
    assert {row["id"]: row["name"] for row in document["categories"]} == {3: "cat", 7: "dog"}
    assert [row["id"] for row in document["images"]] == [11, 5, 8]


def test_the_real_set_survives_the_way_there_and_back(real):
    path = real / "annotations" / "instances_train.json"
    annotations, original = read_annotations(path), json.loads(path.read_bytes())
    for row in original["annotations"]:
        del row["segmentation"]
    assert annotations.document()["annotations"] == original["annotations"]
    assert len(annotations) == 208 and len(annotations.labels) == 1644
    assert len(annotations.categories) == 80 and annotations.categories[79] == Category(90, "toothbrush")


def test_equal_content_has_equal_hashes(small, tmp_path):
    first = read_annotations(small[0])
    path = write_set(tmp_path / "again")[0]
    assert read_annotations(path).content_hash() == first.content_hash()
    for old, new in (("[2, 3, 20, 10]", "[2, 3, 20, 11]"), ('"dog"', '"wolf"'), ("a.png", "z.png")):
        path.write_text(small[0].read_text().replace(old, new))
        assert read_annotations(path).content_hash() != first.content_hash()


def test_a_subset_keeps_its_boxes(small):
    annotations = read_annotations(small[0]).subset(np.array([2, 0]))
    assert annotations.image_ids.tolist() == [8, 11]
    assert annotations.file_names == ("c.png", "a.png")
    assert annotations.box_ids.tolist() == [1, 2, 3]
    assert annotations.image_ids[annotations.box_images].tolist() == [11, 8, 11]
    assert annotations.labels.tolist() == [1, 0, 0]


def test_boxes_that_are_not_finite_can_be_taken_out(tmp_path):
    rows = [box(1, 11, 7, [2, 3, float("nan"), 10]), box(2, 8, 3, [0, 0, 10, 40])]
    annotations = read_annotations(written(tmp_path, annotations=rows)).with_finite_boxes()
    assert annotations.box_ids.tolist() == [2] and annotations.boxes.tolist() == [[0, 0, 10, 40]]
    assert annotations.areas.tolist() == [200] and len(annotations) == 3


def test_both_sets_must_have_the_same_categories(tmp_path):
    train = read_annotations(written(tmp_path / "one"))
    categories = [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}, {"id": 4, "name": "cow"}]
    more = read_annotations(written(tmp_path / "two", categories=categories))
    require_same_categories(train, train)
    for first, second in ((train, more), (more, train)):
        with pytest.raises(DataError, match=r"category 4 'cow' of .*two.* is missing from .*one"):
            require_same_categories(first, second)
