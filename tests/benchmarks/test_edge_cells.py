import itertools

import numpy as np
import pytest

from nasgem_core.benchmarks.edge_cells import parse_edges, vertex_cell
from nasgem_core.benchmarks.nasbench201_cells import EDGES, OFFICIAL_NAMES, contracted_cells
from nasgem_core.cells.cell import Cell
from nasgem_core.errors import CellError
from nasgem_core.operations.registry import register_tabular

for _name in (*OFFICIAL_NAMES, "output"):
    register_tabular(_name)
OURS = dict(
    zip(
        ("nb201_none", "nb201_skip_connect", "nb201_conv1x1", "nb201_conv3x3", "nb201_avgpool3x3", "nb201_output"),
        (*OFFICIAL_NAMES, "output"),
        strict=True,
    )
)


def test_cells_of_nasbench201_become_those_of_its_table():
    operations = np.array(list(itertools.product((0, 1, 3), repeat=6)), np.uint8)  # none, skip_connect, nor_conv_3x3
    for row, cell in zip(operations, contracted_cells(operations), strict=True):
        edges = [(start, end, OFFICIAL_NAMES[o]) for (start, end), o in zip(EDGES, row, strict=True)]
        expected = Cell(cell.adjacency, ("input", *(OURS[name] for name in cell.operations[1:])))
        assert vertex_cell(edges).canonical_key == expected.canonical_key, edges


def test_both_forms_of_a_text_are_one_cell():
    words = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|"
    edges = parse_edges(words)
    assert edges[0] == (0, 1, "nor_conv_3x3") and edges[-1] == (2, 3, "nor_conv_1x1")
    listed = ", ".join(f'[{start}, {end}, "{name}"]' for start, end, name in edges)
    assert parse_edges(f'{{"edges": [{listed}]}}') == edges
    cell = vertex_cell(edges)
    assert cell.operations == ("input", "nor_conv_3x3", "avg_pool_3x3", "nor_conv_1x1", "output")
    assert [cell.predecessors(v) for v in range(1, 5)] == [(0,), (0,), (1,), (2, 3)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("conv", "not a cell with operations on edges"),
        ("[1]", "not a cell with operations on edges"),
        ('{"edges": 3}', "field 'edges' must be a list"),
        ('{"edges": []}', "the cell has no edge"),
        ('{"edges": [[0, 1]]}', "each must be two node numbers and an operation"),
        ('{"edges": [[true, 1, "a"]]}', "each must be two node numbers and an operation"),
        ('{"edges": [[1, 1, "a"]]}', "edge 1 -> 1: an edge goes from a lower to a higher node"),
        ('{"edges": [[-1, 1, "a"]]}', "edge -1 -> 1"),
        ('{"edges": [[0, 1, "output"]]}', "has the operation 'output', which is reserved"),
        ("|a~0|+", "node 2 is ''"),
        ("|a~0|+|b|", "node 2 has the edge 'b'"),
        ("|a~1|", "edge 1 -> 1"),
    ],
)
def test_wrong_texts_are_refused(text, message):
    with pytest.raises(CellError, match=message):
        parse_edges(text)


def test_sums_that_double_without_end_are_refused():
    edges = [(node, node + 1, "skip_connect") for node in range(30) for _ in range(2)]
    with pytest.raises(CellError, match="as vertices the cell's edges are more than 250"):
        vertex_cell(edges)
