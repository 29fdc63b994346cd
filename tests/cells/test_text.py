import numpy as np

from nasgem_core.cells.cell import Cell
from nasgem_core.cells.text import cell_summary, cell_text


def test_each_vertex_is_listed_with_its_predecessors():
    adjacency = np.array([[0, 1, 1, 0], [0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]])
    cell = Cell(adjacency, ("input", "conv1x1", "dwconv3x3", "conv1x1"))
    assert cell_text(cell).splitlines() == [
        "4 vertices, 4 edges, 2 leaves",
        "0  input",
        "1  conv1x1    <- 0",
        "2  dwconv3x3  <- 0 1",
        "3  conv1x1    <- 1",
        "   output     <- 2 3",
    ]


def test_summary_counts_one_in_the_singular():
    chain = Cell(np.array([[0, 1], [0, 0]]), ("input", "conv1x1"))
    assert cell_summary(chain) == "2 vertices, 1 edge, 1 leaf"
