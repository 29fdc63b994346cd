import numpy as np
import pytest

from nasgem_core.benchmarks.mutation import Mutation
from nasgem_core.benchmarks.table import TabularSpace
from nasgem_core.cells.codes import INPUT_CODE
from nasgem_core.errors import DataError
from tests.benchmarks.small101 import OUTPUT, small_nasbench101
from tests.benchmarks.synthetic import synthetic_table


@pytest.fixture(scope="module")
def table() -> TabularSpace:
    return small_nasbench101()


def test_edits_lead_to_other_cells_of_the_table_and_reach_all(table):
    mutation, rng = Mutation(table), np.random.default_rng(0)
    graph = mutation.graph_of(len(table) // 2, rng)
    seen = {graph.row}
    for _ in range(2000):
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
    with pytest.raises(DataError, match="table 'synthetic': its cells are not those of NAS-Bench-101"):
        Mutation(synthetic_table(20))
