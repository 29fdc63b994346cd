"""What a search may ask of a table, and what it has learned: the observed label of a cell costs one query."""

import numpy as np

from nasgem_core.benchmarks.table import TabularSpace
from nasgem_core.errors import DataError


class Queries:
    """A table behind a counter.

    Args:
        table: its label is what a query observes, its truth what a search is judged by.
        budget: number of queries.
        runs: trainings of a cell behind the truth, of which the label is the first.

    Raises:
        DataError: there are fewer cells than queries.

    Attributes:
        rows: the cells asked for, in order.
        observed: their observed accuracies: the label, or the mean of all runs once a cell was asked for again.
        pick: the cell that the search would give now, None before the first query.
        curve: after each query the true accuracy of that pick, [budget] in the end.
    """

    def __init__(self, table: TabularSpace, budget: int, runs: int = 1) -> None:
        self._label = table.metrics[table.label].astype(np.float64)
        self._truth = table.metrics[table.truth].astype(np.float64)
        if budget > len(table):
            raise DataError(f"{budget} queries for a table of {len(table)} cells: lower benchmark.queries")
        self._again = runs - 1
        self.budget = budget
        self.rows: list[int] = []
        self.observed: list[float] = []
        self._repeated: set[int] = set()
        self._place: dict[int, int] = {}
        self.pick: int | None = None
        self.curve: list[float] = []

    @property
    def left(self) -> int:
        """Number of queries left."""
        return self.budget - len(self.curve)

    @property
    def repeat_cost(self) -> int:
        """Queries that asking for a cell again costs: one for each further run; 0 where there is none."""
        return self._again

    def ask(self, rows: np.ndarray) -> np.ndarray:
        """Observe the label of each cell, one query each; cells asked for before cost nothing. Return the labels.

        Raises:
            DataError: there are not enough queries left.
        """
        new = [row for row in dict.fromkeys(int(row) for row in rows) if row not in self._place]
        self._require(len(new))
        for row in new:
            self._place[row] = len(self.rows)
            self.rows.append(row)
            self.observed.append(float(self._label[row]))
            self._advance(1)
        return self._label[rows]

    def ask_again(self, row: int) -> None:
        """Observe all further runs of a cell that was asked for before, and know the mean of all.

        Raises:
            DataError: there are not enough queries left, the table has no further runs, or the cell is not known yet.
        """
        if row not in self._place or row in self._repeated or not self._again:
            raise DataError(f"cell {row} has no further run to be asked for")
        self._require(self._again)
        self._repeated.add(row)
        self.observed[self._place[row]] = float(self._truth[row])
        self._advance(self._again)

    def regret(self) -> np.ndarray:
        """Return after each query how far the pick is below the best true accuracy of the table."""
        return self._truth.max() - np.array(self.curve)

    def _require(self, queries: int) -> None:
        if queries > self.left:
            raise DataError(f"{queries} queries are asked for and {self.left} of {self.budget} are left")

    def _advance(self, queries: int) -> None:
        """Count queries and pick again: the best cell whose runs are all known, or else the best observed one."""
        among = [self._place[row] for row in self._repeated] or range(len(self.rows))
        self.pick = self.rows[max(among, key=lambda place: self.observed[place])]
        self.curve += [float(self._truth[self.pick])] * queries
