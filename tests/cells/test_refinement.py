import numpy as np
from hypothesis import given

from nasgem_core.cells.cell import CellBatch
from nasgem_core.cells.refinement import code_labels, graph_size, list_edges, refine
from tests.cells.graphs import cells


@given(cells(max_vertices=12))
def test_edges_are_listed_row_by_row(cell):
    batch = CellBatch.from_cells([cell], width=14)
    size = graph_size(batch.codes[0])
    starts, targets = np.zeros(15, dtype=np.uint32), np.zeros(14 * 13 // 2 + 1, dtype=np.uint8)
    list_edges(batch.adjacency[0], size, starts, targets)
    listed = [(u, int(v)) for u in range(size) for v in targets[starts[u] : starts[u + 1]]]
    assert size == cell.num_vertices
    assert listed == [tuple(edge) for edge in np.argwhere(cell.adjacency).tolist()]


def test_refinement_is_exact_to_the_neighbour():
    # u -> w and v -> x with different labels of w and x: u and v part after one round, not before.
    labels = np.array([5, 5, 7, 9], dtype=np.uint64)
    starts, targets = np.array([0, 1, 2, 2, 2], dtype=np.uint32), np.array([2, 3, 0], dtype=np.uint8)
    refined, scratch = np.zeros(4, dtype=np.uint64), np.zeros((2, 4), dtype=np.uint64)
    refine(labels, 4, starts, targets, True, refined, scratch)
    assert len(set(refined.tolist())) == 4
    labels[3] = 7
    refine(labels, 4, starts, targets, True, refined, scratch)
    assert refined[0] == refined[1] and refined[2] == refined[3] != refined[0]


def test_multiplicity_and_direction_count():
    labels = np.array([5, 5, 5, 5], dtype=np.uint64)
    refined, scratch = np.zeros(4, dtype=np.uint64), np.zeros((2, 4), dtype=np.uint64)
    # 0 -> 2, 0 -> 3, 1 -> 3: out-degrees 2, 1, 0, 0 and in-degrees 0, 0, 1, 2 are all different pairs.
    starts, targets = np.array([0, 2, 3, 3, 3], dtype=np.uint32), np.array([2, 3, 3, 0], dtype=np.uint8)
    refine(labels, 4, starts, targets, True, refined, scratch)
    assert len(set(refined.tolist())) == 4
    refine(labels, 4, starts, targets, False, refined, scratch)
    assert refined[2] == refined[3]


def test_first_labels_go_by_name():
    one, two = code_labels(("conv1x1", "conv3x3")), code_labels(("conv3x3", "dwconv3x3", "conv1x1"))
    assert one[2] == two[4] and one[3] == two[2] and one[1] == two[1]
    assert len(set(two.tolist())) == 5
