import json

import numpy as np
import pytest

from nasgem_core.detection.annotations import Category, read_annotations, require_same_categories
from nasgem_core.errors import DataError
from tests.detection.coco_files import box, small_document, write_set


def written(tmp_path, **changes):
    return write_set(tmp_path, {**small_document(), **changes})[0]


def test_arrays_say_what_the_file_says(small):
    annotations = read_annotations(small[0])
    assert annotations.categories == (Category(3, "cat"), Category(7, "dog"))
    assert annotations.image_ids.tolist() == [11, 5, 8]
    assert annotations.sizes.tolist() == [[30, 40], [30, 40], [50, 20]]
    assert annotations.labels.tolist() == [1, 0, 0, 1]
    assert annotations.box_images.tolist() == [0, 2, 0, 1]
    assert annotations.boxes[1].tolist() == [0, 0, 10, 40]
    assert annotations.areas[1] == 200
    assert len(annotations) == 3


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


def test_what_may_be_missing_is_filled_in(tmp_path):
    rows = [{"image_id": 11, "category_id": 7, "bbox": [1, 2, 3, 4.5]} for _ in range(2)]
    annotations = read_annotations(written(tmp_path, annotations=rows))
    assert annotations.areas.tolist() == [13.5, 13.5]
    assert annotations.crowds.tolist() == [False, False]
    assert annotations.box_ids.tolist() == [1, 2]


@pytest.mark.parametrize("ids", [(0, 1), (4, 4), ("x", 3)])
def test_numbers_of_boxes_that_pycocotools_would_misread_are_given_anew(tmp_path, ids):
    rows = [box(number, 11, 7, [1, 2, 3, 4]) for number in ids]
    assert read_annotations(written(tmp_path, annotations=rows)).box_ids.tolist() == [1, 2]


def test_a_file_that_is_not_there_or_no_json_is_named(tmp_path):
    with pytest.raises(DataError, match=r"there are no annotations .*none\.json"):
        read_annotations(tmp_path / "none.json")
    with pytest.raises(DataError, match="cannot read the annotations"):
        read_annotations(tmp_path)
    path = written(tmp_path)
    path.write_text(path.read_text()[:-40])
    with pytest.raises(DataError, match=r"train\.json is truncated or no JSON"):
        read_annotations(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"train\.json is truncated or no JSON"):
        read_annotations(path)
    path.write_text("[1, 2]")
    with pytest.raises(DataError, match="holds no annotations in COCO's format"):
        read_annotations(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": None}, "has no list 'images'"),
        ({"images": []}, "'images' is empty"),
        ({"categories": [1]}, "has no list 'categories'"),
        ({"annotations": []}, "lists no box, there is nothing to learn or to measure"),
        ({"categories": [{"id": 7}]}, r"categories\[0\].name = None: must be text"),
        ({"categories": [{"id": "7", "name": "dog"}]}, r"categories\[0\].id = '7': must be a whole number"),
        ({"categories": [{"id": 7, "name": "dog"}, {"id": 7, "name": "cat"}]}, "id 7 stands twice in 'categories'"),
        ({"categories": [{"id": 7, "name": "dog"}, {"id": 3, "name": "dog"}]}, "name 'dog' stands twice"),
        ({"annotations": [box(1, 11, 90, [1, 1, 2, 2])]}, r"annotations\[0\].category_id = 90, and the file lists no"),
        ({"annotations": [box(1, 12, 7, [1, 1, 2, 2])]}, r"annotations\[0\].image_id = 12, .* no such image \(1 of 1"),
        ({"annotations": [{"image_id": 11, "category_id": 7}]}, r"annotations\[0\].bbox = None: must be four numbers"),
        ({"annotations": [{"image_id": 11, "category_id": 7, "bbox": [1, 2, 3, "4"]}]}, "must be four numbers"),
        ({"annotations": [{"image_id": 11, "category_id": 7, "bbox": [1, 1, 2, 10**400]}]}, "must be four numbers"),
        (
            {"annotations": [box(1, 11, [7], [1, 1, 2, 2])]},
            r"annotations\[0\].category_id = \[7\], and the file lists no",
        ),
    ],
)
def test_what_cannot_be_meant_is_named(tmp_path, changes, message):
    path = written(tmp_path)
    path.write_text(json.dumps({**small_document(), **changes}))
    with pytest.raises(DataError, match=message):
        read_annotations(path)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("id", 5, "id 5 stands twice in 'images'"),
        ("file_name", None, r"images\[0\].file_name = None: must be text"),
        ("height", 0, "an image has a height or width below 1"),
        ("id", 10**30, r"images\[0\].id = 10+: must be a whole number below 2\^62"),
        ("height", 10**25, r"images\[0\].height = 10+: must be a whole number below 2\^62"),
        ("width", 40.5, r"images\[0\].width = 40.5: must be a whole number"),
    ],
)
def test_images_need_number_name_and_size(tmp_path, field, value, message):
    path, document = written(tmp_path), small_document()
    document["images"][0][field] = value
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match=message):
        read_annotations(path)


def test_both_sets_must_have_the_same_categories(tmp_path):
    train = read_annotations(written(tmp_path / "one"))
    categories = [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}, {"id": 4, "name": "cow"}]
    more = read_annotations(written(tmp_path / "two", categories=categories))
    require_same_categories(train, train)
    for first, second in ((train, more), (more, train)):
        with pytest.raises(DataError, match=r"category 4 'cow' of .*two.* is missing in .*one"):
            require_same_categories(first, second)
