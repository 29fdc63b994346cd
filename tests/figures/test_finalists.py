import numpy as np

from nasgem_core.figures.finalists import draw_finalists
from nasgem_core.figures.image import figure_png


def test_every_finalist_is_a_line_and_the_marked_ones_are_named():
    accuracy = np.array([[0.2, 0.3, 0.4], [0.25, 0.28, np.nan], [0.1, np.nan, np.nan]])
    figure = draw_finalists((2, 4, 8), accuracy, {0: "chosen: abc", 2: "best known block, MobileNetV1"})
    ax = figure.axes[0]
    (legend,) = figure.legends  # below the axes, where it hides no line
    names = [text.get_text() for text in legend.get_texts()]
    assert len(ax.lines) == 3 and names == ["chosen: abc", "best known block, MobileNetV1"]
    np.testing.assert_allclose(ax.lines[1].get_ydata(), [20, 30, 40])
    assert ax.lines[0].get_color() != ax.lines[1].get_color() != ax.lines[2].get_color()
    assert list(ax.get_xticks()) == [2, 4, 8]
    assert ax.get_title(loc="left") == "3 cells; a line ends where its cell was left out"
    assert len(figure_png(figure)) > 5000


def test_one_rung_is_drawn_as_points():
    figure = draw_finalists((3,), np.array([[0.2], [0.3]]), {})
    (ax,) = figure.axes
    assert not figure.legends and {line.get_marker() for line in ax.lines} == {"o"}
