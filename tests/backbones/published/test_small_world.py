import networkx
import pytest

from nasgem_core.backbones.published.small_world import small_world_dag
from nasgem_core.errors import ParameterError


def edges_of(predecessors):
    return {(source, vertex) for vertex, sources in enumerate(predecessors) for source in sources}


@pytest.mark.parametrize(("vertices", "neighbours"), [(5, 2), (12, 4), (32, 6)])
def test_a_ring_that_is_not_rewired_is_that_of_networkx(vertices, neighbours):
    ring = networkx.watts_strogatz_graph(vertices, neighbours, 0)
    assert edges_of(small_world_dag(vertices, neighbours, 0, 0)) == {tuple(sorted(edge)) for edge in ring.edges}


@pytest.mark.parametrize("seed", range(5))
def test_rewiring_keeps_edges_and_makes_none_twice(seed):
    predecessors = small_world_dag(32, 4, 0.75, seed)
    assert len(edges_of(predecessors)) == sum(map(len, predecessors)) == 64
    assert all(source < vertex for source, vertex in edges_of(predecessors))
    degree = networkx.Graph(edges_of(predecessors)).degree
    assert min(degree[vertex] for vertex in range(32)) >= 2


def test_edges_are_rewired_with_the_probability_asked_for():
    ring = edges_of(small_world_dag(600, 4, 0, 0))
    for rewiring in (0.1, 0.75, 1.0):
        kept = len(ring & edges_of(small_world_dag(600, 4, rewiring, 1))) / len(ring)
        assert kept == pytest.approx(1 - rewiring, abs=0.04)


def test_clustering_and_path_length_are_those_of_networkx():
    ours = [networkx.Graph(edges_of(small_world_dag(100, 6, 0.2, seed))) for seed in range(20)]
    theirs = [networkx.connected_watts_strogatz_graph(100, 6, 0.2, seed=seed) for seed in range(20)]
    for measure in (networkx.average_clustering, networkx.average_shortest_path_length):
        mean, expected = (sum(map(measure, graphs)) / 20 for graphs in (ours, theirs))
        assert mean == pytest.approx(expected, rel=0.08)


def test_a_seed_gives_the_same_graph_for_ever():
    # RandWire's checkpoints hold weights alone: another graph of the same seed would make them useless.
    assert small_world_dag(8, 4, 0.75, 7) == PINNED
    assert small_world_dag(8, 4, 0.75, 8) != PINNED


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((8, 3, 0.5, 0), r"neighbours = 3: must be even, at least 2 and below 8 vertices"),
        ((8, 8, 0.5, 0), r"neighbours = 8"),
        ((8, 0, 0.5, 0), r"neighbours = 0"),
        ((8, 4, 1.5, 0), r"rewiring = 1.5: must be a probability"),
    ],
)
def test_impossible_graphs_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        small_world_dag(*arguments)


PINNED = ((), (0,), (), (0,), (0, 1, 2), (0, 1, 2, 3), (0, 3, 5), (0, 2, 3, 5))
