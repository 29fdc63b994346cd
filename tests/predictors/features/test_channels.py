from math import log

import numpy as np
import pytest
from hypothesis import given

from nasgem_core.cells.cell import Cell
from tests.cells.graphs import cells
from tests.predictors.features.oracle import ALMOST, DIVIDED, FREE, KINDS, features_of, graph_of, inner, kind

NAMES = ("input", "conv3x3", "conv1x1", "dwconv3x3")


def test_channels_by_hand():
    # 0 -> 1 -> 2 -> output and 0 -> 3 -> output: the output divides its channels among 2 and 3.
    cell = Cell(np.array([[0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]), NAMES)
    found = features_of(cell, DIVIDED)
    conv3x3, dwconv3x3, conv1x1 = range(3)
    for o, to_output in ((conv3x3, 0), (dwconv3x3, 0.5), (conv1x1, 0.5)):
        assert [found[f"width:{what}{o}"] for what in ("sum", "max", "min", "out")] == [0.5, 0.5, 0.5, to_output]
        assert found[f"wwalk:suffix{o}"] == to_output
        assert found[f"size:weights{o}"] == FREE.costs[o] / 4
    assert found[f"width:in_sum{conv3x3}"] == found[f"width:in_sum{dwconv3x3}"] == 1  # the input has all channels
    assert found[f"width:in_sum{conv1x1}"] == 0.5
    assert (found["width:projected"], found["width:total"], found["width:output"]) == (1, 1.5, 0.5)
    weights = sum(FREE.costs) / 4 + 1  # and two projections, each to half of the channels
    assert (found["size:weights"], found["size:projection"]) == (weights, 1)
    assert found["size:log_weights"] == pytest.approx(log(weights + 0.01), **ALMOST)
    # By sources, the input and three operations, and targets, three operations and the output.
    edges = {name: value for name, value in found.items() if name.startswith("wedge:") and value}
    assert edges == {f"wedge:{i}": 0.5 for i in (0, 1, 4 + 2, 4 * 2 + 3, 4 * 3 + 3)}


@given(cells(max_vertices=7))
def test_undivided_vertices_have_all_channels(cell):
    found, graph = features_of(cell), graph_of(cell)
    for o in range(KINDS):
        own = [v for v in inner(graph) if kind(graph, v) == o]
        assert found[f"width:sum{o}"] == len(own)
        assert found[f"width:in_sum{o}"] == found[f"wwalk:in{o}"] == sum(graph.in_degree(v) for v in own)
        assert found[f"size:weights{o}"] == pytest.approx(FREE.costs[o] * len(own))
    for source in range(KINDS + 1):
        for target in range(KINDS + 1):
            assert found[f"wedge:{source * (KINDS + 1) + target}"] == found[f"edge:{source}-{target}"]
