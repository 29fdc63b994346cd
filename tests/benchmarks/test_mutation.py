import numpy as np
import pytest

from nasgem_core.benchmarks.graph_hash import graph_hashes
from nasgem_core.benchmarks.mutation import Mutation
from nasgem_core.benchmarks.nasbench101 import HASH_LABELS, MAX_VERTICES, OPERATIONS
from nasgem_core.benchmarks.table import TabularSpace
from nasgem_core.cells.cell import INPUT_CODE, CellBatch
from nasgem_core.errors import DataError
from tests.benchmarks.synthetic import synthetic_table

OUTPUT = 5


@pytest.fixture(scope="module")
def table() -> TabularSpace:
    """All cells of at most four vertices that NAS-Bench-101 could hold, in any order."""
    adjacency, codes = [], []
    for size in (2, 3, 4):
        places = [(i, j) for i in range(size) for j in range(i + 1, size)]
        for bits in range(2 ** len(places)):
            matrix = np.zeros((MAX_VERTICES, MAX_VERTICES), dtype=np.uint8)
            for bit, place in enumerate(places):
                matrix[place] = bits >> bit & 1
            inner = matrix[:size, :size]
            if not (inner[:, 1:].any(0).all() and inner[:-1].any(1).all()):
                continue
            for number in range(3 ** (size - 2)):
                row = np.zeros(MAX_VERTICES, dtype=np.uint8)
                row[0], row[size - 1] = INPUT_CODE, OUTPUT
                row[1 : size - 1] = [2 + number // 3**i % 3 for i in range(size - 2)]
                adjacency.append(matrix)
                codes.append(row)
    cells = CellBatch(np.array(adjacency), np.array(codes), OPERATIONS)
    hashes = graph_hashes(cells, HASH_LABELS)
    _, first = np.unique(hashes, axis=0, return_index=True)
    accuracy = np.linspace(0.1, 0.9, len(first), dtype=np.float32)
    metrics = {"test_acc_run0": accuracy, "test_acc_mean3": accuracy}
    return TabularSpace("nasbench101", cells[first], metrics, "test_acc_run0", "test_acc_mean3", hashes[first])


def test_edits_lead_to_other_cells_of_the_table_and_reach_all(table):
    mutation, rng = Mutation(table), np.random.default_rng(0)
    graph = mutation.graph_of(len(table) // 2, rng)
    seen = {graph.row}
    for _ in range(4000):
        after = mutation.mutate(graph, rng)
        assert after.row != graph.row
        assert not np.tril(after.adjacency).any()
        assert (after.codes[0], after.codes[-1]) == (INPUT_CODE, OUTPUT)
        seen.add(after.row)
        graph = after
    assert len(seen) == len(table)


def test_a_spread_cell_is_the_cell_of_its_row(table):
    mutation, rng = Mutation(table), np.random.default_rng(1)
    for row in range(len(table)):
        graph = mutation.graph_of(row, rng)
        assert mutation._find(graph.adjacency, graph.codes) == row


def test_other_tables_are_refused():
    with pytest.raises(DataError, match="table 'synthetic': edits are known for nasbench101 only"):
        Mutation(synthetic_table(20))
