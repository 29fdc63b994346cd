import networkx as nx
import numpy as np
import pytest
from hypothesis import given

from tests.cells.graphs import cells
from tests.predictors.features.oracle import ALMOST, KINDS, features_of, graph_of, inner, kind, output_of, paths, walks


@given(cells(max_vertices=6))
def test_visits_are_means_over_all_walks(cell):
    found, graph = features_of(cell), graph_of(cell)
    routes = paths(graph)
    for o in range(KINDS):
        own = [v for v in inner(graph) if kind(graph, v) == o]
        shares = [sum(v in path for path in routes) / len(routes) for v in own]
        assert found[f"walk:through_sum{o}"] == pytest.approx(sum(shares), **ALMOST)
        assert found[f"walk:through_max{o}"] == pytest.approx(max(shares, default=0), **ALMOST)
        assert found[f"walk:cut{o}"] == sum(share == 1 for share in shares)
        for name, forward in (("mean", False), ("forward", True)):
            met = sum(chance * len(set(own).intersection(path)) for path, chance in walks(graph, forward))
            assert found[f"walk:{name}{o}"] == pytest.approx(met, **ALMOST)
    for name, forward in (("length", False), ("length_forward", True)):
        mean = sum(chance * len(path) for path, chance in walks(graph, forward))
        assert found[f"walk:{name}"] == pytest.approx(mean, **ALMOST)
    lengths, chances = zip(*((len(path), chance) for path, chance in walks(graph)), strict=True)
    variance = np.average(np.square(lengths), weights=chances) - np.average(lengths, weights=chances) ** 2
    assert found["walk:length_square"] == pytest.approx(variance, **ALMOST)
    # Without division all widths are equal, and the walk by width is the even one.
    assert found["walk:length_width"] == found["walk:length"]


@given(cells(max_vertices=7))
def test_depths_are_longest_paths_to_both_ends(cell):
    found, graph = features_of(cell), graph_of(cell)
    last = output_of(graph)
    for o in range(KINDS):
        own = [v for v in inner(graph) if kind(graph, v) == o]
        for side, ends in (("", [(0, v) for v in own]), ("up_", [(v, last) for v in own])):
            depths = [max(map(len, nx.all_simple_paths(graph, u, v))) - 1 for u, v in ends] or [-1]
            measured = [found[f"depth:{side}{what}{o}"] for what in ("top", "bottom", "mean")]
            assert measured == pytest.approx([min(depths), max(depths), np.mean(depths)], **ALMOST)
