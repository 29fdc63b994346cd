import json
import os

import numpy as np
import pytest

from nasgem_core.detection.annotation_file import read_annotations
from nasgem_core.detection.training_boxes import absent_images, require_images, require_measurable, training_boxes
from nasgem_core.errors import DataError
from tests.detection.coco_files import box, small_document, write_set


def chosen(folder, *rows):
    path, images = write_set(folder, {**small_document(), "annotations": list(rows)})
    return training_boxes(read_annotations(path), images)


def reasons(found):
    return {item.reason: (item.count, item.first) for item in found.skipped}


def test_boxes_are_corners_in_the_order_of_images(small):
    found = training_boxes(read_annotations(small[0]), small[1])
    assert found.images.tolist() == [0, 1, 2]
    assert found.offsets.tolist() == [0, 2, 3, 4]
    assert found.boxes.tolist() == [[2, 3, 22, 13], [10, 5, 40, 30], [1, 1, 13, 13], [0, 0, 10, 40]]
    assert found.labels.tolist() == [1, 0, 1, 0]
    assert found.boxes.dtype == np.float32 and not found.skipped and len(found) == 3


def test_what_cannot_be_learned_is_left_out_and_counted(tmp_path):
    found = chosen(
        tmp_path,
        box(1, 11, 7, [2, 3, 20, 10]),
        box(2, 11, 7, [2, 3, 0, 10]),
        box(3, 11, 7, [2, 3, 5, -1]),
        box(4, 11, 7, [40, 3, 5, 5]),
        box(5, 8, 3, [-50, 0, 10, 10]),
        box(6, 8, 3, [0, 0, 10, 10], iscrowd=1),
        box(7, 8, 3, [float("nan"), 0, 10, 10]),
        box(8, 11, 3, [-5, -5, 60, 20]),
        box(9, 11, 3, [0, 10, 1e-6, 20]),
    )
    assert found.images.tolist() == [0]
    assert found.boxes.tolist() == [[2, 3, 22, 13], [0, 0, 40, 15]]
    assert reasons(found) == {
        "boxes with a non-finite number": (1, "box 7 of c.png"),
        "boxes with a side below 0.1 pixels": (3, "box 2 of a.png"),
        "boxes outside of the image": (2, "box 4 of a.png"),
        "boxes cut at the edge of the image, beyond which they extended by more than a pixel": (1, "box 8 of a.png"),
        "boxes that contain a crowd": (1, "box 6 of c.png"),
        "images without boxes to learn": (2, "b.png"),
    }
    assert str(found.skipped[0]) == "1 boxes with a non-finite number (first: box 7 of c.png)"


def test_images_that_are_too_thin_are_left_out(tmp_path):
    document = small_document()
    document["images"][1] |= {"width": 310, "height": 10}
    document["images"][2] |= {"width": 10, "height": 300}
    path, images = write_set(tmp_path, document)
    found = training_boxes(read_annotations(path), images)
    assert found.images.tolist() == [0, 2]
    assert reasons(found) == {"images with sides that differ by a factor above 30": (1, "b.png")}
    with pytest.raises(DataError, match=r"b\.png has sides that differ by a factor above 30: remove it"):
        require_measurable(read_annotations(path), images)


def test_what_ap_cannot_be_measured_on_is_named(small, tmp_path):
    require_measurable(read_annotations(small[0]), small[1])
    for rows, fault in (
        ([box(1, 11, 7, [2, 3, float("inf"), 10])], r"a\.png has a box with a non-finite number"),
        ([box(1, 11, 7, [2, 3, 20, 10], iscrowd=1)], "all boxes hold crowds, so AP cannot be measured"),
        ([box(1, 11, 7, [2, 3, 20, 10], area=1e11)], "no box has an area of 0 to 1e.10 pixels.* fields area"),
    ):
        path, images = write_set(tmp_path / "other", {**small_document(), "annotations": rows})
        with pytest.raises(DataError, match=fault):
            require_measurable(read_annotations(path), images)
    (small[1] / "a.png").unlink()
    with pytest.raises(DataError, match="1 of the 3 images of"):
        require_measurable(read_annotations(small[0]), small[1])


def test_no_box_to_learn_stops(tmp_path):
    with pytest.raises(DataError, match="has no box that can be learned"):
        chosen(tmp_path, box(1, 11, 7, [2, 3, 0, 10]))


def large_set(folder, count=200):
    document = small_document()
    document["images"] = [{"id": i, "file_name": f"{i}.png", "width": 8, "height": 8} for i in range(count)]
    document["annotations"] = [box(i + 1, i, 7, [1, 1, 4, 4]) for i in range(count)]
    path, images = write_set(folder, document)
    return read_annotations(path), images


def test_a_spoilt_file_or_two_are_left_out_and_a_copy_cut_off_stops(tmp_path):
    annotations, images = large_set(tmp_path)
    (images / "7.png").unlink()
    (images / "9.png").write_bytes(b"")
    found = training_boxes(annotations, images)
    assert len(found) == 198 and reasons(found) == {"missing or empty image files": (2, "7.png")}
    assert absent_images(annotations, images).tolist() == [7, 9]
    (images / "7.png").symlink_to("7.png")
    (images / "9.png").unlink()
    os.mkfifo(images / "9.png")
    assert absent_images(annotations, images).tolist() == [7, 9]
    with pytest.raises(DataError, match=r"2 of the 200 images .* \(first: 7.png\): the copy is incomplete"):
        require_images(annotations, images)
    (images / "150.png").unlink()
    with pytest.raises(DataError, match="3 of the 200 images"):
        training_boxes(annotations, images)


def test_a_wrong_folder_is_named(small, tmp_path):
    annotations = read_annotations(small[0])
    with pytest.raises(DataError, match=r"there is no folder of images .*nowhere"):
        training_boxes(annotations, tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"none of the 3 images .* is in .*empty \(first: a.png\)"):
        training_boxes(annotations, tmp_path / "empty")


def test_images_may_lie_in_subfolders(tmp_path):
    document = small_document()
    for row in document["images"]:
        row["file_name"] = f"part/{row['file_name']}"
    (tmp_path / "train" / "part").mkdir(parents=True)
    path, images = write_set(tmp_path, document)
    assert absent_images(read_annotations(path), images).tolist() == []
    (images / "part" / "b.png").unlink()
    assert absent_images(read_annotations(path), images).tolist() == [1]


def test_the_real_set_has_few_that_are_left_out(real):
    annotations = read_annotations(real / "annotations" / "instances_train.json")
    found = training_boxes(annotations, real / "train")
    assert len(found) == 206 and len(found.boxes) == 1644 - 16
    assert reasons(found)["boxes that contain a crowd"][0] == 16
    assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()


@pytest.mark.parametrize("name", ["sub\\\\{}", "..\\\\{}"])
def test_backslashes_in_names_are_said_to_be_the_reason(tmp_path, name):
    path, images = write_set(tmp_path)
    document = json.loads(path.read_text())
    for row in document["images"]:
        row["file_name"] = name.format(row["file_name"])
    path.write_text(json.dumps(document))
    message = r"3 of these file names have backslashes: write / in place of .{1,2} in the annotations$"
    with pytest.raises(DataError, match=message):
        require_images(read_annotations(path), images)


def test_a_name_that_is_too_long_for_a_file_is_a_missing_image(tmp_path):
    path, images = write_set(tmp_path)
    document = json.loads(path.read_text())
    document["images"][0]["file_name"] = "x" * 5000 + "/" + "y" * 5000
    path.write_text(json.dumps(document))
    assert absent_images(read_annotations(path), images).tolist() == [0]
