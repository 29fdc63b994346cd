import numpy as np
import pytest
from hypothesis import given

from tests.cells.graphs import cells
from tests.predictors.features.oracle import (
    FREE,
    features_of,
    graph_of,
    inner,
    kind,
    output_of,
    source_kind,
    target_kind,
)


@given(cells(max_vertices=7))
def test_counts_are_those_of_the_graph(cell):
    found, graph = features_of(cell), graph_of(cell)
    last = output_of(graph)
    for o in range(len(FREE.operations)):
        own = [v for v in inner(graph) if kind(graph, v) == o]
        before, after = [graph.in_degree(v) for v in own], [graph.out_degree(v) for v in own]
        assert found[f"count:op{o}"] == len(own)
        assert found[f"degree:in_sum{o}"] == sum(before)
        assert found[f"degree:out_sum{o}"] == sum(after)
        assert found[f"degree:in_max{o}"] == max(before, default=0)
        assert found[f"degree:out_max{o}"] == max(after, default=0)
        assert found[f"degree:from_input{o}"] == sum(graph.has_edge(0, v) for v in own)
        assert found[f"degree:to_output{o}"] == sum(graph.has_edge(v, last) for v in own)
    assert found["count:vertices"] == len(graph)
    assert found["count:edges"] == graph.number_of_edges()
    assert found["count:in_out"] == graph.has_edge(0, last)
    assert found["count:output_inputs"] == graph.in_degree(last) - graph.has_edge(0, last)
    assert found["count:input_outputs"] == graph.out_degree(0) - graph.has_edge(0, last)
    before, after = (np.array([degree for _, degree in side]) for side in (graph.in_degree, graph.out_degree))
    assert (found["degree:in_max"], found["degree:out_max"]) == (before.max(), after.max())
    assert (found["degree:in_square"], found["degree:out_square"]) == (sum(before**2), sum(after**2))


@given(cells(max_vertices=7))
def test_edges_are_counted_by_both_ends(cell):
    found, graph = features_of(cell), graph_of(cell)
    counted: dict[str, int] = {}
    for u, v in graph.edges:
        name = f"edge:{source_kind(graph, u)}-{target_kind(graph, v)}"
        counted[name] = counted.get(name, 0) + 1
    edges = {name: value for name, value in found.items() if name.startswith("edge:")}
    assert {name: value for name, value in edges.items() if value} == pytest.approx(counted)
    assert len(edges) == 16
