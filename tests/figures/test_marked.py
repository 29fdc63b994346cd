import numpy as np
import pytest
from PIL import Image

from nasgem_core.errors import DataError
from nasgem_core.figures import marked
from nasgem_core.figures.marked import mark_boxes, save_picture

GREY = (128, 127, 126)


def drawn(size, boxes, names, scores=None):
    scores = np.linspace(0.5, 0.9, len(names)) if scores is None else np.array(scores)
    return mark_boxes(Image.new("RGB", size, GREY), np.array(boxes, dtype=float).reshape(-1, 4), names, scores)


def changed(picture):
    return (np.asarray(picture) != GREY).any(axis=2)


def colour_at(picture, x, y):
    return "#{:02x}{:02x}{:02x}".format(*picture.getpixel((x, y)))


def test_a_frame_lies_on_the_edge_of_its_box_and_a_label_above_it():
    found = changed(drawn((300, 200), [[50, 100, 250, 180]], ["cat"]))
    assert found.shape == (200, 300)
    for row, column in ((100, 150), (179, 150), (140, 50), (140, 249)):
        assert found[row, column]
    assert not found[110:170, 60:240].any() and not found[181:].any() and not found[:, 251:].any()
    assert found[90:100, 50:80].all() and not found[:80].any()


def test_lines_and_letters_grow_with_the_picture():
    small = changed(drawn((300, 200), [[50, 100, 250, 180]], ["cat"]))
    large = changed(drawn((3000, 2000), [[500, 1000, 2500, 1800]], ["cat"]))
    assert large[1400, 500:700].sum() > 3 * small[140, 50:70].sum()
    assert large[:1000].sum() > 10 * small[:100].sum()  # the label


@pytest.mark.parametrize("size", [(1, 1), (20, 200), (127, 500), (200, 128), (2000, 128)])
def test_a_very_small_picture_is_enlarged_by_a_whole_factor(size):
    picture = drawn(size, [[0, 0, *size]], ["cat"])
    factor = picture.width // size[0]
    assert picture.size == (factor * size[0], factor * size[1]) and min(picture.size) >= 128
    assert (factor == 1) == (min(size) >= 128)
    assert changed(picture)[[0, -1]].all() and changed(picture)[:, [0, -1]].all()


@pytest.mark.parametrize("box", [[0, 0, 300, 200], [250, 0, 300, 20], [-9, 190, 320, 240], [299, 199, 299, 199]])
def test_a_label_stays_within_the_picture(box):
    """What is written at an edge is as much as what is written in the middle."""
    free = changed(drawn((300, 200), [[100, 100, 290, 101]], ["bicycle"]))[:100].sum()
    label = changed(drawn((300, 200), [box], ["bicycle"]))
    assert label.sum() >= free > 500


def test_a_name_that_is_too_long_loses_letters_and_keeps_its_score():
    font = marked._font(11)
    text = marked._fitting(font, "a name without end " * 9, " 0.75", 120)
    assert text.startswith("a name w") and text.endswith("\N{HORIZONTAL ELLIPSIS} 0.75")
    assert font.getlength(text) <= 120
    assert marked._fitting(font, "cat", " 0.75", 120) == "cat 0.75"


def test_a_name_has_one_colour_and_the_surest_lies_on_top():
    boxes = [[10, 50, 110, 150], [150, 50, 250, 150], [10, 50, 110, 150]]
    picture = drawn((300, 200), boxes, ["cat", "dog", "dog"], [0.5, 0.6, 0.9])
    assert colour_at(picture, 10, 100) == colour_at(picture, 150, 100)
    turned = drawn((300, 200), boxes, ["cat", "dog", "dog"], [0.95, 0.6, 0.9])
    assert colour_at(turned, 10, 100) != colour_at(turned, 150, 100)


def test_letters_stand_out_from_their_ground():
    assert {colour: marked._on(colour) for colour in ("#0072b2", "#e69f00")} == {
        "#0072b2": "#ffffff",
        "#e69f00": "#222222",
    }


def test_names_may_hold_anything():
    picture = drawn((300, 200), [[50, 100, 250, 180]] * 3, [r"$\frac$", "two\nlines", ""])
    assert changed(picture).any()


def test_without_an_object_the_picture_stays_as_it_is():
    assert not changed(drawn((300, 200), [], [])).any()


@pytest.mark.parametrize("name", ["a.png", "b.JPG", "c.webp", "d.tiff", "deep/e.bmp"])
def test_a_picture_is_written_with_all_its_pixels(tmp_path, name):
    save_picture(Image.new("RGB", (30, 20), GREY), tmp_path / name)
    with Image.open(tmp_path / name) as back:
        assert back.size == (30, 20)
        np.testing.assert_allclose(back.convert("RGB").getpixel((9, 9)), GREY, atol=3)
    assert len(list((tmp_path / name).parent.iterdir())) == 1


def test_a_picture_that_cannot_be_written_leaves_the_old_one(tmp_path):
    (tmp_path / "old.webp").write_bytes(b"old")
    with pytest.raises(DataError, match=r"old\.webp: .*16383 pixels; name a \.png"):
        save_picture(Image.new("RGB", (17_000, 2)), tmp_path / "old.webp")
    assert (tmp_path / "old.webp").read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"Not a directory|File exists"):
        save_picture(Image.new("RGB", (2, 2)), tmp_path / "file" / "a.png")
    with pytest.raises(DataError, match=r"boxes\.svg: the name must end in \.png, \.jpg"):
        save_picture(Image.new("RGB", (2, 2)), tmp_path / "boxes.svg")


def test_names_that_the_font_lacks_are_told_apart_by_numbers():
    boxes = [[20, 60, 100, 150], [160, 60, 280, 150]]
    found = np.asarray(drawn((300, 200), boxes, ["\u732b", "\u72ac"], [0.9, 0.9]))
    numbered = np.asarray(drawn((300, 200), boxes, ["#2", "#1"], [0.9, 0.9]))
    assert np.array_equal(found, numbered)
