import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given

from nasgem_core.cells.cell import Cell
from nasgem_core.errors import CellError
from tests.cells.graphs import cells, to_networkx

DIAMOND = np.array([[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]])
DIAMOND_OPERATIONS = ("input", "conv1x1", "dwconv3x3", "conv1x1")


def test_diamond_reads_as_drawn():
    cell = Cell(DIAMOND, DIAMOND_OPERATIONS)
    assert (cell.num_vertices, cell.num_edges) == (4, 4)
    assert cell.leaves == (3,)
    assert cell.predecessors(3) == (1, 2)


def test_cell_cannot_be_changed():
    cell = Cell(DIAMOND, DIAMOND_OPERATIONS)
    with pytest.raises(ValueError, match="read-only"):
        cell.adjacency[0, 1] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        cell.operations = ()


def test_the_callers_array_is_not_shared():
    adjacency = DIAMOND.astype(np.uint8)
    cell = Cell(adjacency, DIAMOND_OPERATIONS)
    adjacency[0, 1] = 0
    assert cell.adjacency[0, 1] == 1


def test_pruning_drops_unreachable_vertices_again_and_again():
    # 1 -> 2 -> 3 hangs in the air: dropping 1 leaves 2 without input, and so on.
    adjacency = np.zeros((5, 5), dtype=int)
    adjacency[1, 2] = adjacency[2, 3] = adjacency[0, 4] = adjacency[3, 4] = 1
    cell = Cell.pruned(adjacency, ("input", "conv1x1", "conv1x1", "conv1x1", "dwconv3x3"))
    assert cell.operations == ("input", "dwconv3x3")
    assert cell.num_edges == 1


@pytest.mark.parametrize(
    ("adjacency", "operations", "message"),
    [
        (np.zeros((2, 3)), ("input", "conv1x1"), "must be square"),
        (np.eye(2), ("input", "conv1x1"), "may have a cycle"),
        (np.array([[0, 1], [1, 0]]), ("input", "conv1x1"), r"edge 1 -> 0 .* cycle"),
        (np.array([[0, 2], [0, 0]]), ("input", "conv1x1"), "other than 0 and 1"),
        (np.array([[0, 1], [0, 0]]), ("input",), "1 operations for 2 vertices"),
        (np.array([[0, 1], [0, 0]]), ("input", "conv9x9"), "unknown operation 'conv9x9': known are conv1x1"),
        (np.array([[0, 1], [0, 0]]), ("conv1x1", "conv1x1"), "vertex 0 is 'conv1x1'"),
        (np.array([[0, 1], [0, 0]]), ("input", "input"), "only vertex 0 is the input"),
        (np.zeros((2, 2)), ("input", "conv1x1"), "vertex 1 has no path from the input"),
        (np.zeros((1, 1)), ("input",), "no operation"),
        (np.zeros((251, 251)), ("input",) + ("conv1x1",) * 250, "251 vertices"),
        (np.zeros((0, 0)), (), "0 vertices"),
    ],
)
def test_invalid_graphs_are_refused(adjacency, operations, message):
    with pytest.raises(CellError, match=message):
        Cell(adjacency, operations)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "field 'schema'"),
        ('{"schema": "nasgem.cell/9"}', r"field 'schema' must be 'nasgem.cell/1', found 'nasgem.cell/9'"),
        ('{"schema": "nasgem.cell/1", "operations": "input", "edges": []}', "field 'operations'"),
        ('{"schema": "nasgem.cell/1", "operations": ["input", "conv1x1"], "edges": 3}', "field 'edges' must be"),
        ('{"schema": "nasgem.cell/1", "operations": ["input", "conv1x1"], "edges": [[0, 7]]}', r"holds \[0, 7\]"),
        ('{"schema": "nasgem.cell/1", "operations": ["input", "conv1x1"], "edges": [[0, 1], [1, 0]]}', "cycle"),
        (
            '{"schema": "nasgem.cell/1", "operations": ["input", "conv1x1"], "edges": [[0, 1], [0, 1]]}',
            "twice",
        ),
        ('{"schema": "nasgem.cell/1", "operations": [], "edges": []}', "0 vertices"),
    ],
)
def test_foreign_json_is_refused(text, message):
    with pytest.raises(CellError, match=message):
        Cell.from_json(text)


@given(cells())
def test_json_both_ways(cell):
    assert Cell.from_json(cell.to_json()) == cell
    assert json.loads(cell.to_json())["operations"][0] == "input"


@given(cells())
def test_leaves_are_the_sinks_of_networkx(cell):
    graph = to_networkx(cell)
    assert cell.leaves == tuple(v for v in graph if graph.out_degree(v) == 0)
