from collections import Counter

import networkx as nx
import numpy as np
from hypothesis import given

from nasgem_core.cells.cell import Cell
from tests.cells.graphs import cells
from tests.predictors.features.oracle import features_of, graph_of, inner, kind, output_of

FAR, NEAR, SPAN = 12, 4, 8


def longest(graph: nx.DiGraph, source: int, target: int) -> int:
    return max((len(path) - 1 for path in nx.all_simple_paths(graph, source, target)), default=0)


@given(cells(max_vertices=7))
def test_operations_are_counted_by_their_distances_from_both_ends(cell):
    found, graph = features_of(cell), graph_of(cell)
    last, counted = output_of(graph), Counter()
    for v in inner(graph):
        for side, source, target in (("from_input", 0, v), ("to_output", v, last)):
            counted[f"longest_{side}:{kind(graph, v)}-{longest(graph, source, target)}"] += 1
            shortest = min(nx.shortest_path_length(graph, source, target), NEAR)
            counted[f"shortest_{side}:{kind(graph, v)}-{shortest}"] += 1
    columns = {name: value for name, value in found.items() if name.startswith(("longest", "shortest"))}
    assert {name: value for name, value in columns.items() if value} == counted
    assert len(columns) == 3 * 2 * (FAR + NEAR)


@given(cells(max_vertices=7))
def test_edges_are_counted_by_the_depths_of_their_ends(cell):
    found, graph = features_of(cell), graph_of(cell)
    depth = {v: longest(graph, 0, v) for v in graph}
    counted = Counter(f"span:{depth[u]}-{depth[v]}" for u, v in graph.edges)
    assert {name: value for name, value in found.items() if name.startswith("span:") and value} == counted


def test_what_is_farther_than_told_apart_counts_as_the_farthest():
    chain = Cell(np.diag(np.ones(15, np.uint8), 1), ("input", *["conv3x3"] * 15))
    found = features_of(chain)
    for side in ("from_input", "to_output"):
        assert [found[f"longest_{side}:0-{d}"] for d in range(1, FAR + 1)] == [1] * (FAR - 1) + [15 - FAR + 1]
        assert [found[f"shortest_{side}:0-{d}"] for d in range(1, NEAR + 1)] == [1] * (NEAR - 1) + [15 - NEAR + 1]
    assert found[f"span:{SPAN}-{SPAN}"] == 16 - SPAN and found[f"span:{SPAN - 1}-{SPAN}"] == 1
