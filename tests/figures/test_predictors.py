import numpy as np
import pytest

from nasgem_core.figures.image import figure_png
from nasgem_core.figures.predictors import draw_predictors

CURVES = {
    "gaussian_process": {100: (0.70, 0.02), 400: (0.80, 0.01)},
    "random": {100: (0.01, 0.02), 400: (np.nan, np.nan)},
    "trees": {100: (0.65, np.nan), 400: (0.82, 0.02)},
}


def test_the_best_at_the_largest_size_comes_first():
    figure = draw_predictors("a table", "Kendall tau", CURVES, splits=3, ceiling=0.9)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["one label, ranked by itself", "trees", "gaussian process", "random"]
    ax = figure.axes[0]
    assert ax.get_title(loc="left") == "means of 3 splits, bars: 95 % intervals"
    drawn = {container.get_label(): container.lines[0].get_ydata() for container in ax.containers}
    np.testing.assert_allclose(drawn["trees"], [0.65, 0.82])
    np.testing.assert_allclose(drawn["random"], [0.01, np.nan])
    assert len(figure_png(figure)) > 5000


@pytest.mark.parametrize("curves", [{}, {"random": {10: (np.nan, np.nan)}}])
def test_without_measurements_it_says_so(curves):
    figure = draw_predictors("a table", "Kendall tau", curves, splits=2)
    assert [text.get_text() for text in figure.axes[0].texts] == ["nothing was measured"]
