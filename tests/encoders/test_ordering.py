import numpy as np
from networkx import DiGraph, is_isomorphic
from networkx.algorithms.isomorphism import categorical_node_match

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.edits import renumber_cells
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.encoders.ordering import order_vertices


def graph_of(cell):
    graph = DiGraph()
    graph.add_nodes_from((v, {"operation": name}) for v, name in enumerate(cell.operations))
    graph.add_edges_from(np.argwhere(cell.adjacency).tolist())
    return graph


def test_depth_comes_first_then_the_operation():
    # Depths 0 1 2 1: the last vertex moves before the one of depth 2, and behind conv1x1 of its own depth.
    adjacency = np.array([[0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    cell = Cell(adjacency, ("input", "conv1x1", "conv1x1", "dwconv3x3"))
    ordered = order_vertices(CellBatch.from_cells([cell])).cell(0)
    assert ordered.operations == ("input", "conv1x1", "dwconv3x3", "conv1x1")
    assert np.argwhere(ordered.adjacency).tolist() == [[0, 1], [0, 2], [1, 3]]


def test_the_ordered_cell_is_valid_and_isomorphic():
    cells = sample_cells(CellsConfig(vertices=9, edge_probability=(0.2, 0.6)), 50, seed=1)
    match = categorical_node_match("operation", None)
    for before, after in zip(cells, order_vertices(cells), strict=True):
        assert is_isomorphic(graph_of(before), graph_of(after), node_match=match)


def test_renumbered_cells_nearly_always_get_the_same_arrays():
    cells = sample_cells(CellsConfig(), 500, seed=1)
    renumbered = renumber_cells(cells, np.ones(500, dtype=bool), seed=2)
    first, second = order_vertices(cells), order_vertices(renumbered)
    assert (cells.adjacency == renumbered.adjacency).all((1, 2)).mean() < 0.5
    assert (first.adjacency == second.adjacency).all((1, 2)).mean() > 0.98
    assert (first.codes == second.codes).all()
