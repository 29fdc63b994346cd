import contextlib
import json
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasgem_core.detection.annotation_file import read_annotations
from nasgem_core.detection.annotations import Category
from nasgem_core.detection.training_boxes import require_measurable, training_boxes
from nasgem_core.errors import DataError
from tests.config.hostile import VALUES, changed, places
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


def test_what_may_be_missing_is_filled_in(tmp_path):
    rows = [{"image_id": 11, "category_id": 7, "bbox": [1, 2, 3, 4.5]} for _ in range(2)]
    annotations = read_annotations(written(tmp_path, annotations=rows))
    assert annotations.areas.tolist() == [13.5, 13.5]
    assert annotations.crowds.tolist() == [False, False]
    assert annotations.box_ids.tolist() == [1, 2]


def test_sizes_may_be_floats_without_a_fraction(tmp_path):
    document = small_document()
    document["images"][0] |= {"width": 40.0, "height": 30.0}
    path = written(tmp_path)
    path.write_text(json.dumps(document))
    assert read_annotations(path).sizes[0].tolist() == [30, 40]


def test_numbers_may_be_floats_without_a_fraction_everywhere(tmp_path):
    document = small_document()
    expected = read_annotations(written(tmp_path))

    def as_floats(value):
        if isinstance(value, dict):
            return {key: as_floats(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [as_floats(inner) for inner in value]
        return float(value) if type(value) is int else value

    path = written(tmp_path)
    path.write_text(json.dumps(as_floats(document)))
    found = read_annotations(path)
    assert found.content_hash() == expected.content_hash() and found.categories == expected.categories
    assert found.box_ids.tolist() == expected.box_ids.tolist() and found.image_ids.dtype == np.int64


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_senseless_value_anywhere_is_one_message_or_a_set_that_can_be_used(tmp_path, data):
    document = small_document()
    place = data.draw(st.sampled_from(list(places(document))))
    path = tmp_path / "fuzzed.json"
    folder = write_set(tmp_path)[1]
    path.write_text(json.dumps(changed(document, place, data.draw(st.sampled_from(VALUES)))))
    with contextlib.suppress(DataError):
        annotations = read_annotations(path)
        json.dumps(annotations.document())
        assert len(annotations.content_hash()) == 32
        for check in (require_measurable, training_boxes):
            with contextlib.suppress(DataError):
                check(annotations, folder)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 100_000, b"\0" * 100, b'{"images": [], "images": []}'])
def test_hostile_json_is_one_message(tmp_path, content):
    path = written(tmp_path)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"train\.json is truncated or not JSON"):
        read_annotations(path)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(DataError, match=r"cannot read the annotations .*pipe\.json \(it is not a file\)"):
        read_annotations(tmp_path / "pipe.json")


@pytest.mark.parametrize("area", [None, "13", True, float("nan"), float("inf"), -1, 10**400])
def test_an_area_that_is_none_is_that_of_the_rectangle(tmp_path, area):
    rows = [{**box(1, 11, 7, [1, 2, 3, 4.5]), "area": area}]
    assert read_annotations(written(tmp_path, annotations=rows)).areas.tolist() == [13.5]


@pytest.mark.parametrize("ids", [(0, 1), (4, 4), ("x", 3)])
def test_numbers_of_boxes_that_pycocotools_would_misread_are_given_anew(tmp_path, ids):
    rows = [box(number, 11, 7, [1, 2, 3, 4]) for number in ids]
    assert read_annotations(written(tmp_path, annotations=rows)).box_ids.tolist() == [1, 2]


def test_a_file_that_is_not_there_or_no_json_is_named(tmp_path):
    with pytest.raises(DataError, match=r"the annotations .*none\.json do not exist"):
        read_annotations(tmp_path / "none.json")
    with pytest.raises(DataError, match="cannot read the annotations"):
        read_annotations(tmp_path)
    path = written(tmp_path)
    path.write_text(path.read_text()[:-40])
    with pytest.raises(DataError, match=r"train\.json is truncated or not JSON"):
        read_annotations(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"train\.json is truncated or not JSON"):
        read_annotations(path)
    path.write_text("[1, 2]")
    with pytest.raises(DataError, match="does not have annotations in COCO's format"):
        read_annotations(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": None}, "has no list 'images'"),
        ({"images": []}, "'images' is empty"),
        ({"categories": [1]}, "has no list 'categories'"),
        ({"annotations": []}, "has no boxes, so there is nothing to learn or to measure"),
        ({"categories": [{"id": 7}]}, r"categories\[0\].name = None: must be text"),
        ({"categories": [{"id": 7.5, "name": "a"}]}, r"categories\[0\].id = 7.5: must be an integer below 2\^62"),
        ({"categories": [{"id": 7, "name": "a\0"}]}, r"categories\[0\].name = 'a.x00': has half a character or a NUL"),
        ({"categories": [{"id": 7, "name": "\ud800"}]}, r"categories\[0\].name = '.ud800': has half a character"),
        ({"categories": [{"id": "7", "name": "dog"}]}, r"categories\[0\].id = '7': must be an integer"),
        ({"categories": [{"id": 7, "name": "dog"}, {"id": 7, "name": "cat"}]}, "id 7 is used twice in 'categories'"),
        ({"categories": [{"id": 7, "name": "dog"}, {"id": 3, "name": "dog"}]}, "name 'dog' is used twice"),
        (
            {"annotations": [box(1, 11, 90, [1, 1, 2, 2])]},
            r"annotations\[0\].category_id = 90: the file does not list this category",
        ),
        (
            {"annotations": [box(1, 12, 7, [1, 1, 2, 2])]},
            r"annotations\[0\].image_id = 12: .* this image \(the same holds for 1 of 1",
        ),
        ({"annotations": [{"image_id": 11, "category_id": 7}]}, r"annotations\[0\].bbox = None: must be four numbers"),
        ({"annotations": [{"image_id": 11, "category_id": 7, "bbox": [1, 2, 3, "4"]}]}, "must be four numbers"),
        ({"annotations": [{"image_id": 11, "category_id": 7, "bbox": [1, 1, 2, 10**400]}]}, "must be four numbers"),
        (
            {"annotations": [{**box(1, 11, 7, [1, 1, 2, 2]), "iscrowd": "0"}]},
            r"annotations\[0\].iscrowd = '0': must be 0 or 1",
        ),
        (
            {"annotations": [box(1, 11, [7], [1, 1, 2, 2])]},
            r"annotations\[0\].category_id = \[7\]: the file does not list",
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
        ("id", 5, "id 5 is used twice in 'images'"),
        ("file_name", None, r"images\[0\].file_name = None: must be text"),
        ("height", 0, "an image has a height or width below 1"),
        ("id", 10**30, r"images\[0\].id = 10+: must be an integer below 2\^62"),
        ("height", 10**25, r"images\[0\].height = 10+: must be an integer below 2\^62"),
        ("file_name", "b.png", "file_name 'b.png' is used twice in 'images'"),
        ("file_name", "../a.png", r"images\[0\].file_name = '../a.png': must name a file in the folder of images"),
        ("file_name", "/a.png", "must name a file in the folder of images"),
        ("file_name", "", "must name a file in the folder of images"),
        ("width", 40.5, r"images\[0\].width = 40.5: must be an integer"),
    ],
)
def test_images_need_number_name_and_size(tmp_path, field, value, message):
    path, document = written(tmp_path), small_document()
    document["images"][0][field] = value
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match=message):
        read_annotations(path)
