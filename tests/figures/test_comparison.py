from dataclasses import replace

import numpy as np
import pytest

from nasgem_core.figures.comparison import Compared, draw_comparison, draw_fronts, fronts
from nasgem_core.figures.image import figure_png
from nasgem_core.intervals import mean_and_interval

GEMNET = Compared("gemnet", "gemnet", [0.6, 0.62, 0.61], {"MACs": 19.0, "latency (ms)": 2.5})
TWO = [GEMNET, Compared("mobilenet_v2", "mobilenet_v2", [0.58, 0.57, 0.6], {"MACs": 19.0, "latency (ms)": 2.9})]
SMALL = Compared("gemnet_5M", "gemnet", [0.5], {"MACs": 5.0})


def test_fronts_are_those_of_each_cost():
    assert fronts([*TWO, SMALL]) == {"MACs": {"gemnet", "gemnet_5M"}, "latency (ms)": {"gemnet"}}
    assert fronts([]) == {}


def test_every_training_mean_and_interval_is_drawn():
    left, macs, right, unused = draw_comparison(TWO).axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["gemnet", "mobilenet_v2"]
    dots = [dots.get_offsets()[:, 0].tolist() for dots in left.collections if len(dots.get_offsets()) == 3]
    assert np.allclose(dots, [[60, 62, 61], [58, 57, 60]])
    mean, half = mean_and_interval(np.array(GEMNET.accuracies))
    bars = [line for container in left.containers for line in container.lines[2]]
    assert bars[0].get_segments()[0][:, 0] == pytest.approx([100 * (mean - half), 100 * (mean + half)])
    assert (macs.get_xlabel(), right.get_xlabel()) == ("MACs", "latency (ms)") and not unused.axison
    assert [container.lines[0].get_xydata()[0].tolist() for container in right.containers] == [
        [network.costs["latency (ms)"], pytest.approx(100 * network.accuracy)] for network in TWO
    ]
    assert left.yaxis_inverted(), "the user's network is on top"


def test_a_line_joins_the_front_and_what_is_dominated_is_hollow():
    figure = draw_fronts("Front", [*TWO, SMALL], "accuracy (%)")
    macs, latency = figure.axes
    (front,) = (line for line in macs.lines if line.get_label() == "Pareto front")
    assert front.get_xydata() == pytest.approx(np.array([[5, 50], [19, 61]]))
    faces = [container.lines[0].get_markerfacecolor() for container in macs.containers]
    assert faces[1] == "white" and faces[0] == faces[2] != "white", "networks of one kind share their colour"
    assert len(latency.containers) == 2, "a cost that is not known has no mark"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Pareto front", "gemnet", "mobilenet_v2"]


def test_single_trainings_have_no_interval_and_unknown_costs_no_place():
    figure = draw_comparison([replace(SMALL, costs={"latency (ms)": float("nan")})])
    assert not figure.axes[0].containers[0].lines[2]
    assert figure_png(figure).startswith(b"\x89PNG")


def test_a_bar_ends_where_accuracies_do():
    poor = Compared("poor", "gemnet", [0.02, 0.1], {"MACs": 5.0})
    for ax, axis in zip(draw_comparison([poor]).axes[:2], (0, 1), strict=True):
        (bar,) = (line for container in ax.containers for line in container.lines[2])
        assert bar.get_segments()[0][0, axis] == 0
