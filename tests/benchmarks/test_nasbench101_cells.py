import numpy as np
import pytest

from nasgem_core.benchmarks.nasbench101_cells import OPERATIONS, invalid_cells, parse_graphs
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.errors import CellError, DataError
from nasgem_core.operations.registry import OPERATIONS as BUILDABLE

CHAIN = ("010001000", "input,maxpool3x3,output")


def test_texts_of_the_benchmark_become_cells():
    cells = parse_graphs([CHAIN, ("0100", "input,output")], ["a", "b"])
    assert [cell.operations for cell in cells] == [
        ("input", "nb101_maxpool3x3", "nb101_output"),
        ("input", "nb101_output"),
    ]
    assert cells.width == 7 and not len(invalid_cells(cells))


@pytest.mark.parametrize("graph", [("01", "input,output"), ("0100", "input,pool"), ("0100", None)])
def test_other_texts_are_refused_by_key(graph):
    with pytest.raises(DataError, match="cell b has no graph of the benchmark"):
        parse_graphs([CHAIN, graph], ["a", "b"])


def test_cells_that_are_not_from_an_input_to_an_output_are_found():
    good = parse_graphs([CHAIN] * 4, list("abcd"))
    adjacency, codes = good.adjacency.copy(), good.codes.copy()
    adjacency[1, 0, 1] = 0
    codes[2, 1] = 5
    adjacency[3, 2, 1] = 1
    assert invalid_cells(CellBatch(adjacency, codes, OPERATIONS)).tolist() == [1, 2, 3]


def test_operations_are_those_of_tables_only():
    cell = Cell(np.triu(np.ones((3, 3), int), 1), ("input", "nb101_conv3x3", "nb101_output"))
    assert Cell.from_json(cell.to_json()) == cell and len(cell.canonical_key) == 32
    assert not set(OPERATIONS) & set(BUILDABLE.names())
    for name in OPERATIONS:
        with pytest.raises(CellError, match=f"unknown operation '{name}': known are conv1x1"):
            BUILDABLE.get(name)
