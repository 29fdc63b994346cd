import pytest
from matplotlib.figure import Figure

from nasgem_core.figures.training import draw_training


def test_every_training_is_a_line_and_every_network_a_colour():
    curves = {"gemnet": [[(1, 0.2), (2, 0.4)], [(1, 0.25), (2, 0.45)]], "mobilenet_v2": [[(1, 0.1), (2, 0.3)]]}
    figure = draw_training({"top-1 accuracy": curves, "training loss": {"gemnet": [[(0.5, 3.0)]]}}, "Trainings")
    assert isinstance(figure, Figure)
    first, second = figure.axes
    assert [line.get_xydata().tolist() for line in first.lines] == [
        [[1, 0.2], [2, 0.4]],
        [[1, 0.25], [2, 0.45]],
        [[1, 0.1], [2, 0.3]],
    ]
    colours = [line.get_color() for line in first.lines]
    assert colours[0] == colours[1] != colours[2] and second.lines[0].get_color() == colours[0]
    (legend,) = figure.legends  # below the panels, where it hides no curve
    assert [text.get_text() for text in legend.get_texts()] == ["gemnet", "mobilenet_v2"]
    assert all(tick == round(tick) for tick in first.get_xticks()), "epochs are whole"
    # A line of one point would not be seen.
    assert second.lines[0].get_marker() == "o" and first.lines[0].get_marker() == "None"
    assert first.get_ylabel() == "top-1 accuracy" and "2 trainings of each network" in first.get_title(loc="left")


def test_no_axis_shows_accuracies_below_zero():
    (ax,) = draw_training({"AP": {"retinanet": [[(1, 0.0), (2, 0.0)]]}}, "Trainings").axes
    assert ax.get_ylim()[0] == 0 < ax.get_ylim()[1]


@pytest.mark.parametrize("panels", [{}, {"top-1 accuracy": {}}, {"top-1 accuracy": {"gemnet": [[]]}}])
def test_without_a_training_the_picture_says_so(panels):
    figure = draw_training(panels, "Trainings")
    assert "nothing was trained" in [text.get_text() for text in figure.axes[0].texts]
