"""Random edits of NAS-Bench-101 cells, each looked up in the table (the mutation of Ying et al. 2019).

An edited graph keeps all of its seven places, also those that no path from input to output passes, so that edits can
bring them back; the cell of the table is the graph without them.
"""

from dataclasses import dataclass

import numpy as np

from nasgem_core.benchmarks.graph_hash import graph_hashes
from nasgem_core.benchmarks.nasbench101_cells import HASH_LABELS, MAX_VERTICES, OPERATIONS
from nasgem_core.benchmarks.table import TabularSpace
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import FIRST_OPERATION_CODE
from nasgem_core.errors import DataError

_INSIDE = len(OPERATIONS) - 1
"""Operations that a place between input and output can have."""


@dataclass(frozen=True, eq=False)
class Graph:
    """A cell with unused places.

    Args:
        adjacency: [7, 7] bool, upper triangular.
        codes: [7] codes; the first is the input's, the last the output's.
        row: of the table, the cell that it is without unused places.
    """

    adjacency: np.ndarray
    codes: np.ndarray
    row: int


class Mutation:
    """Looks up edited cells in a table of NAS-Bench-101; raises `DataError` for another table."""

    def __init__(self, table: TabularSpace) -> None:
        if table.cells.operation_names != OPERATIONS:
            raise DataError(f"table {table.name!r}: its cells are not those of NAS-Bench-101, so they cannot be edited")
        self._cells = table.cells
        self._row_of = {key: row for row, key in enumerate(map(bytes, table.hashes))}

    def graph_of(self, row: int, rng: np.random.Generator) -> Graph:
        """Return the cell of a row with its places spread at random, those that are left over without edges."""
        size = int(self._cells.num_vertices[row])
        inside = np.sort(rng.choice(np.arange(1, MAX_VERTICES - 1), size - 2, replace=False))
        places = np.concatenate([[0], inside, [MAX_VERTICES - 1]])
        adjacency = np.zeros((MAX_VERTICES, MAX_VERTICES), dtype=bool)
        adjacency[np.ix_(places, places)] = self._cells.adjacency[row, :size, :size]
        codes = rng.integers(FIRST_OPERATION_CODE, FIRST_OPERATION_CODE + _INSIDE, MAX_VERTICES).astype(np.uint8)
        codes[places] = self._cells.codes[row, :size]
        return Graph(adjacency, codes, row)

    def mutate(self, graph: Graph, rng: np.random.Generator) -> Graph:
        """Return another cell of the table: an edge is flipped with probability 1/7, an operation changed with 1/5."""
        upper = np.triu(np.ones((MAX_VERTICES, MAX_VERTICES), dtype=bool), 1)
        while True:
            flipped = upper & (rng.random(upper.shape) < 1 / MAX_VERTICES)
            codes = graph.codes.copy()
            changed = 1 + np.flatnonzero(rng.random(MAX_VERTICES - 2) < 1 / (MAX_VERTICES - 2))
            steps = rng.integers(1, _INSIDE, len(changed))
            codes[changed] = FIRST_OPERATION_CODE + (codes[changed] - FIRST_OPERATION_CODE + steps) % _INSIDE
            adjacency = graph.adjacency ^ flipped
            row = self._find(adjacency, codes)
            if row is not None and row != graph.row:
                return Graph(adjacency, codes, row)

    def _find(self, adjacency: np.ndarray, codes: np.ndarray) -> int | None:
        """Return the row of a graph without its unused places, None where the benchmark does not have that cell."""
        from_input, to_output = _reached(adjacency, 0), _reached(adjacency.T, MAX_VERTICES - 1)
        kept = np.flatnonzero(from_input & to_output)
        if not from_input[-1]:
            return None
        cell = np.zeros((1, MAX_VERTICES, MAX_VERTICES), dtype=np.uint8)
        cell[0, : len(kept), : len(kept)] = adjacency[np.ix_(kept, kept)]
        padded = np.zeros((1, MAX_VERTICES), dtype=np.uint8)
        padded[0, : len(kept)] = codes[kept]
        key = graph_hashes(CellBatch(cell, padded, OPERATIONS), HASH_LABELS)[0]
        return self._row_of.get(bytes(key))


def _reached(adjacency: np.ndarray, start: int) -> np.ndarray:
    reached = np.zeros(len(adjacency), dtype=bool)
    reached[start] = True
    for _ in range(len(adjacency)):
        reached |= adjacency[reached].any(0)
    return reached
