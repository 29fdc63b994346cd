import numpy as np
import pytest
from hypothesis import given

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.refinement import code_labels, graph_size, list_edges, refine
from tests.cells.graphs import cells


def listed(adjacency: np.ndarray) -> list[tuple[int, int]]:
    size = len(adjacency)
    sources, targets = np.zeros((2, size * (size - 1) // 2 + 1), dtype=np.uint8)
    edges = list_edges(adjacency, size, sources, targets)
    return [(int(u), int(v)) for u, v in zip(sources[:edges], targets[:edges], strict=True)]


@given(cells(max_vertices=12))
def test_every_edge_is_listed_once(cell):
    batch = CellBatch.from_cells([cell], width=14)
    assert graph_size(batch.codes[0]) == cell.num_vertices
    assert sorted(listed(cell.adjacency)) == [tuple(edge) for edge in np.argwhere(cell.adjacency).tolist()]


@pytest.mark.parametrize("size", [64, 65, 250])
def test_large_graphs_are_listed_too(size):
    adjacency = np.triu(np.random.default_rng(size).integers(0, 2, (size, size), dtype=np.uint8), 1)
    assert sorted(listed(adjacency)) == [tuple(edge) for edge in np.argwhere(adjacency).tolist()]


def refined(labels: list[int], edges: list[tuple[int, int]], see_predecessors: bool = True) -> list[int]:
    words, sources, targets = np.uint64(labels), *np.uint8(edges).T
    result, scratch = np.zeros(len(labels), dtype=np.uint64), np.zeros((3, len(labels)), dtype=np.uint64)
    refine(words, len(labels), sources, targets, len(edges), see_predecessors, result, scratch)
    return result.tolist()


def test_refinement_is_exact_to_the_neighbour():
    # 0 -> 2 and 1 -> 3 with different labels of 2 and 3: 0 and 1 part after one round, not before.
    edges = [(0, 2), (1, 3)]
    assert len(set(refined([5, 5, 7, 9], edges))) == 4
    same = refined([5, 5, 7, 7], edges)
    assert same[0] == same[1] and same[2] == same[3] != same[0]


def test_multiplicity_and_direction_count():
    # Out-degrees 2, 1, 0, 0 and in-degrees 0, 0, 1, 2 are all different pairs.
    edges = [(0, 2), (0, 3), (1, 3)]
    assert len(set(refined([5, 5, 5, 5], edges))) == 4
    successors = refined([5, 5, 5, 5], edges, see_predecessors=False)
    assert successors[2] == successors[3]


def test_first_labels_go_by_name():
    one, two = code_labels(("conv1x1", "conv3x3")), code_labels(("conv3x3", "dwconv3x3", "conv1x1"))
    assert one[2] == two[4] and one[3] == two[2] and one[1] == two[1]
    assert len(set(two.tolist())) == 5
