import numpy as np

from nasgem_core.figures.image import figure_png
from nasgem_core.figures.searches import draw_searches


def test_each_search_has_a_line_of_its_own():
    lines = {f"search {place}": np.array([np.nan, 0.1, 0.2 + place / 10]) for place in range(5)}
    figure = draw_searches(lines, lines)
    for ax in figure.axes:
        looks = [(line.get_color(), line.get_linestyle()) for line in ax.get_lines()]
        assert len(set(looks)) == len(looks) == 5
    assert figure_png(figure, dpi=20)


def test_searches_without_trainings_are_an_empty_plot():
    figure = draw_searches({"a": np.array([])}, {"a": np.array([np.nan])})
    assert all("nothing was trained" in [text.get_text() for text in ax.texts] for ax in figure.axes)
