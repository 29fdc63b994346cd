import numpy as np
import pytest

from nasgem_core.figures.comparison import ComparedNetwork, draw_comparison
from nasgem_core.figures.image import figure_png
from nasgem_core.intervals import mean_and_interval

TWO = [ComparedNetwork("gemnet", [0.6, 0.62, 0.61], 2.5), ComparedNetwork("mobilenet_v2", [0.58, 0.57, 0.6], 2.9)]


def test_every_training_mean_and_interval_is_drawn():
    left, right = draw_comparison(TWO, "latency (ms)").axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["gemnet", "mobilenet_v2"]
    dots = [dots.get_offsets()[:, 0].tolist() for dots in left.collections if len(dots.get_offsets()) == 3]
    assert np.allclose(dots, [[60, 62, 61], [58, 57, 60]])
    mean, half = mean_and_interval(np.array(TWO[0].accuracies))
    bars = [line for container in left.containers for line in container.lines[2]]
    assert bars[0].get_segments()[0][:, 0] == pytest.approx([100 * (mean - half), 100 * (mean + half)])
    assert right.get_xlabel() == "latency (ms)"
    assert [container.lines[0].get_xydata()[0].tolist() for container in right.containers] == [
        [network.cost, pytest.approx(100 * np.mean(network.accuracies))] for network in TWO
    ]
    assert left.yaxis_inverted(), "the user's network is on top"


def test_single_trainings_have_no_interval_and_unknown_costs_no_place():
    figure = draw_comparison([ComparedNetwork("gemnet", [0.6], float("nan"))], "latency (ms)")
    assert not figure.axes[0].containers[0].lines[2]
    assert figure_png(figure).startswith(b"\x89PNG")
