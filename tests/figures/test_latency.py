import numpy as np
import pytest

from nasgem_core.errors import DataError
from nasgem_core.figures.image import figure_png
from nasgem_core.figures.latency import draw_latency

NAMES = ("a", "b", "c")


def drawn(names=NAMES, accuracy=(0.5, 0.7, np.nan)):
    count = len(names)
    groups = ["proxy", "proxy", "published"][:count]
    median = np.array([1.0, 2.0, 30.0])[:count]
    return draw(names, groups, median, p95=1.5 * median, macs=1e6 * median**2, accuracy=np.array(accuracy)[:count])


def draw(names, groups, median, *, p95=None, macs=1e6, accuracy=1.0):
    """Draw with a value for all networks where one number is given."""
    p95 = median if p95 is None else p95
    macs, accuracy = (np.broadcast_to(values, (len(names),)) for values in (macs, accuracy))
    return draw_latency("cpu", names, groups, median_ms=median, p95_ms=p95, macs=macs, accuracy=accuracy)


def test_latency_is_drawn_against_macs_and_accuracy_against_latency():
    figure = drawn()
    left, right = figure.axes
    dots = [[container.lines[0].get_xydata().tolist() for container in ax.containers] for ax in (left, right)]
    assert dots[0] == [[[1, 1], [4, 2]], [[900, 30]]]
    np.testing.assert_allclose(dots[1], [[[1, 0.5], [2, 0.7]]])
    ends = [segment[1].tolist() for segment in left.containers[0].lines[2][0].get_segments()]
    assert ends == [[1, 1.5], [4, 3]]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["proxy", "published"]
    assert [text.get_text() for text in left.texts] == ["a", "b", "c"]
    assert [text.get_text() for text in right.texts] == ["a", "b"]
    assert right.get_title(loc="left") == "2 networks with known accuracy, lines: Pareto fronts"
    assert len(figure_png(figure)) > 5000


def test_many_networks_have_no_names_and_none_is_said():
    many = 40
    figure = draw(["x"] * many, ["g"] * many, np.ones(many))
    assert not figure.axes[0].texts
    empty = drawn(names=(), accuracy=())
    assert [ax.texts[0].get_text() for ax in empty.axes] == ["nothing was measured", "no accuracy is known"]
    assert len(figure_png(empty)) > 1000
    unknown = drawn(accuracy=(np.nan,) * 3)
    assert unknown.axes[1].texts[0].get_text() == "no accuracy is known"


def test_lengths_that_differ_are_refused():
    with pytest.raises(DataError, match="give one of each per network"):
        draw(["a"], ["g"], np.ones(2))


def test_names_of_networks_at_one_place_do_not_cover_each_other():
    many = 5
    names = ["a name of some length", *(f"name {i}" for i in range(many - 2)), r"$\frac$"]
    figure = draw(names, ["g"] * many, np.full(many, 2.0), accuracy=0.5)
    figure.draw_without_rendering()
    for ax in figure.axes:
        places = [text.get_window_extent() for text in ax.texts]
        assert [text.get_text() for text in ax.texts] == names
        assert not any(one.overlaps(other) for i, one in enumerate(places) for other in places[:i])


def test_a_name_at_the_edge_is_written_inwards():
    figure = draw(["x" * 40, "b"], ["g"] * 2, np.array([1.0, 0.5]), macs=np.array([1e9, 1e6]))
    figure.draw_without_rendering()
    for ax in figure.axes:
        assert ax.texts[0].get_window_extent().x1 <= ax.bbox.x1 + 1
