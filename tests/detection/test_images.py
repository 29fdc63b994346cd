import pytest
import torch
from PIL import Image

from nasgem_core.detection.annotation_file import read_annotations
from nasgem_core.detection.images import (
    BrokenImageError,
    MeasuredImages,
    TrainingImages,
    is_mirrored,
    mirrored,
    read_image,
)
from nasgem_core.detection.training_boxes import training_boxes
from nasgem_core.errors import DataError


def training_images(small, **settings):
    annotations = read_annotations(small[0])
    return TrainingImages(annotations, training_boxes(annotations, small[1]), small[1], **{"seed": 0, **settings})


def test_an_image_is_turned_where_the_annotations_are_of_the_turned_one(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees
    Image.new("RGB", (40, 30)).save(tmp_path / "turned.jpg", exif=exif)
    for size in ((30, 40), (40, 30)):
        assert read_image(tmp_path / "turned.jpg", size).shape[1:] == size
    with pytest.raises(DataError, match="has 40 x 30 pixels, but its annotations say 20 x 30"):
        read_image(tmp_path / "turned.jpg", (30, 20))


@pytest.mark.parametrize(("turn", "size"), [(2, (40, 30)), (3, (40, 30)), (4, (40, 30)), (6, (30, 30)), (8, (30, 30))])
@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
def test_an_image_whose_turn_leaves_its_size_is_refused_by_name(tmp_path, turn, size, ending):
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.new("RGB", size).save(tmp_path / f"turned.{ending}", exif=exif)
    with pytest.raises(
        BrokenImageError, match=rf"turned\.{ending} has a note to turn it that leaves its size as it is"
    ):
        read_image(tmp_path / f"turned.{ending}", size[::-1])


def test_damaged_notes_leave_an_image_as_it_is(tmp_path):
    note = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x04\0\0\0ab\0\0"
    Image.new("RGB", (40, 30)).save(tmp_path / "a.jpg", exif=note)
    assert read_image(tmp_path / "a.jpg", (30, 40)).shape == (3, 30, 40)


def test_mirrored_boxes_hold_the_same_pixels():
    image = torch.arange(3 * 6 * 8, dtype=torch.uint8).view(3, 6, 8)
    boxes = torch.tensor([[1.0, 2, 4, 5], [0, 0, 8, 6]])
    other, moved = mirrored(image, boxes)
    assert moved.tolist() == [[4, 2, 7, 5], [0, 0, 8, 6]]
    (left, top, right, bottom), (x, y, z, w) = boxes[0].int().tolist(), moved[0].int().tolist()
    assert torch.equal(other[:, y:w, x:z].flip(2), image[:, top:bottom, left:right])
    again, back = mirrored(other, moved)
    assert torch.equal(again, image) and torch.equal(back, boxes)


def test_mirroring_depends_on_seed_epoch_and_image_alone():
    draws = [is_mirrored(0, epoch, image) for epoch in range(40) for image in range(50)]
    assert 900 < sum(draws) < 1100
    assert draws == [is_mirrored(0, epoch, image) for epoch in range(40) for image in range(50)]
    assert draws[:50] != [is_mirrored(1, 0, image) for image in range(50)] != draws[50:100]


def test_a_sample_is_the_image_with_its_boxes(small):
    plain = training_images(small, epoch=0, mirror=False)[0]
    assert (plain.name, plain.image_id, plain.broken) == ("a.png", 11, ())
    assert plain.image.shape == (3, 30, 40) and plain.image.dtype == torch.uint8
    assert plain.boxes.tolist() == [[2, 3, 22, 13], [10, 5, 40, 30]]
    assert plain.labels.tolist() == [1, 0]
    epoch = next(epoch for epoch in range(20) if is_mirrored(0, epoch, 11))
    other = training_images(small, epoch=epoch)[0]
    assert torch.equal(other.image, plain.image.flip(2))
    assert other.boxes.tolist() == [[18, 3, 38, 13], [0, 5, 30, 30]]


def test_grey_and_transparent_images_become_rgb(tmp_path):
    for mode in ("L", "RGBA", "P", "CMYK"):
        path = tmp_path / f"{mode}.tif"
        Image.new(mode, (8, 6)).save(path)
        assert read_image(path, (6, 8)).shape == (3, 6, 8)


def test_a_broken_image_is_passed_over_in_training_and_named(small):
    (small[1] / "b.png").write_bytes((small[1] / "b.png").read_bytes()[:200])
    images = training_images(small, epoch=0, mirror=False)
    assert (images[1].name, images[1].broken) == ("c.png", ("b.png",))
    assert images[0].broken == ()
    (small[1] / "c.png").write_text("no image")
    assert (images[1].name, images[1].broken) == ("a.png", ("b.png", "c.png"))
    (small[1] / "a.png").unlink()
    with pytest.raises(BrokenImageError, match=r"no image of .* can be read \(first: b.png\)"):
        images[1]


def test_a_broken_image_stops_a_measurement(small):
    images = MeasuredImages(read_annotations(small[0]), small[1])
    number, image = images[2]
    assert number == 8 and image.shape == (3, 50, 20) and len(images) == 3
    (small[1] / "c.png").write_text("no image")
    with pytest.raises(BrokenImageError, match=r"c.png cannot be read as an image"):
        images[2]


def test_an_image_of_another_size_stops(small):
    Image.new("RGB", (80, 60)).save(small[1] / "a.png")
    with pytest.raises(DataError, match=r"a.png has 80 x 60 pixels, but its annotations say 40 x 30"):
        training_images(small, epoch=0)[0]
