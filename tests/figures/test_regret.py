import numpy as np

from nasgem_core.figures.image import figure_png
from nasgem_core.figures.regret import draw_regret


def test_the_lowest_regret_at_the_end_comes_first():
    falling = np.linspace(0.1, 0.001, 50)
    regrets = {"random": np.stack([falling * 20, falling * 22]), "processes": np.stack([falling, falling * 1.2])}
    figure = draw_regret("a table", regrets)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["processes", "random"]
    ax = figure.axes[0]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 110 * falling)
    assert ax.get_yscale() == "log"
    assert ax.get_title(loc="left") == "means of 2 searches, bands: 95 % intervals"
    assert len(figure_png(figure)) > 5000


def test_one_search_that_found_the_best_and_none():
    figure = draw_regret("a table", {"random": np.array([[0.1, 0.0]])})
    assert figure.axes[0].get_yscale() == "linear"
    empty = draw_regret("a table", {})
    assert [text.get_text() for text in empty.axes[0].texts] == ["nothing was searched"]
