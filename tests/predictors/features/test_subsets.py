from math import log

import networkx as nx
import numpy as np
import pytest
from hypothesis import given

from nasgem_core.predictors.features.subsets import path_subsets
from tests.cells.graphs import cells
from tests.predictors.features.oracle import ALMOST, KINDS, features_of, graph_of, inner, kind, output_of, paths, walks


@given(cells(max_vertices=6))
def test_paths_through_subsets_are_those_that_networkx_finds(cell):
    found, graph = features_of(cell), graph_of(cell)
    last = output_of(graph)
    for subset in range(1, 2**KINDS):
        allowed = {v for v in inner(graph) if subset >> kind(graph, v) & 1}
        within = graph.subgraph({0, last} | allowed)
        lengths = [len(path) - 1 for path in nx.all_simple_paths(within, 0, last)]
        assert found[f"subset:shortest:{subset}"] == min(lengths, default=9)
        assert found[f"subset:longest:{subset}"] == max(lengths, default=-1)
        assert found[f"subset:paths:{subset}"] == pytest.approx(log(1 + len(lengths)), **ALMOST)
        for name, forward in (("mass", False), ("mass_forward", True)):
            mass = sum(chance for path, chance in walks(graph, forward) if allowed.issuperset(path))
            assert found[f"subset:{name}:{subset}"] == pytest.approx(mass, **ALMOST)
        met = [len(allowed.intersection(path)) for path in paths(graph)]
        assert (found[f"subset:fewest:{subset}"], found[f"subset:most:{subset}"]) == (min(met), max(met))


@given(cells(max_vertices=6))
def test_laws_are_those_of_the_most_expensive_operations_on_a_path(cell):
    found, graph = features_of(cell), graph_of(cell)
    for most in range(KINDS):
        walk, share = np.zeros(6), np.zeros(6)
        for path, chance in walks(graph):
            met = sum(kind(graph, v) <= most for v in path)
            walk[met] += chance
            share[met] += 1 / len(paths(graph))
        assert [found[f"law:walk{most}:{k}"] for k in range(6)] == pytest.approx(walk.tolist(), **ALMOST)
        assert [found[f"law:share{most}:{k}"] for k in range(6)] == pytest.approx(share.tolist(), **ALMOST)


def test_subsets_of_many_operations_are_few_and_the_telling_ones():
    assert path_subsets(5) == list(range(1, 32))
    for kinds in (6, 12, 24):
        subsets = path_subsets(kinds)
        everything = 2**kinds - 1
        assert subsets == sorted(set(subsets)) and len(subsets) <= 3 * kinds
        assert {everything, *(1 << o for o in range(kinds)), *(everything ^ 1 << o for o in range(kinds))} < {*subsets}
        assert all(2**most - 1 in subsets for most in range(1, kinds))
