import numpy as np
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from nasgem_core.figures.boxes import BoxPicture, draw_boxes
from nasgem_core.figures.image import figure_png


def picture(names=("cat", "dog"), scores=(0.9, 0.25), **fields):
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    boxes = np.array([[2.0, 8, 20, 25], [5, 0, 39, 12]])[: len(names)]
    return BoxPicture(image, boxes, names, None if scores is None else np.array(scores), **fields)


def rectangles(ax):
    return [patch for patch in ax.patches if isinstance(patch, Rectangle)]


def test_boxes_stand_where_they_were_found_with_name_and_score():
    figure = draw_boxes([picture(title="a.jpg")], title="Detections")
    (ax,) = figure.axes
    assert ax.get_xlim() == (0, 40) and ax.get_ylim() == (30, 0)
    assert {patch.get_bbox().bounds for patch in rectangles(ax)} == {(2, 8, 18, 17), (5, 0, 34, 12)}
    assert {text.get_text() for text in ax.texts} == {"cat 0.90", "dog 0.25"}
    assert ax.get_title(loc="left") == "a.jpg: 2 detections"
    assert ax.images[0].get_array().shape == (30, 40, 3)


def test_true_boxes_have_no_score():
    (ax,) = draw_boxes([picture(names=("cat",), scores=None)], title="Truth").axes
    assert [text.get_text() for text in ax.texts] == ["cat"]
    assert ax.get_title(loc="left") == "1 box"


def test_a_name_has_one_colour_in_all_pictures():
    figure = draw_boxes([picture(), picture(names=("dog",), scores=(0.5,))], title="Two")
    colours = [[to_hex(patch.get_edgecolor()) for patch in rectangles(ax)] for ax in figure.axes]
    by_score = dict(zip(("dog", "cat"), colours[0], strict=True))
    assert colours[1] == [by_score["dog"]] and by_score["dog"] != by_score["cat"]


def test_the_surest_detection_lies_on_top():
    (ax,) = draw_boxes([picture()], title="One").axes
    assert [text.get_text() for text in ax.texts] == ["dog 0.25", "cat 0.90"]


def test_any_number_of_pictures_makes_one_figure():
    for count in (0, 1, 5):
        figure = draw_boxes([picture(names=(), scores=())] * count, title="Some")
        assert sum(bool(ax.images) for ax in figure.axes) == count
        assert figure_png(figure, dpi=40).startswith(b"\x89PNG")
    assert draw_boxes([], title="None").axes[0].texts[0].get_text() == "no picture"


def test_names_are_no_formulas():
    odd = picture(names=(r"$\frac$", "$x$"), title=r"$\frac$.jpg")
    figure = draw_boxes([odd], title=r"Found by $\frac$")
    assert figure_png(figure, dpi=40).startswith(b"\x89PNG")
    assert {text.get_text() for text in figure.axes[0].texts} == {r"$\frac$ 0.90", "$x$ 0.25"}
