"""Rows of a table that hold one cell up to isomorphism: kept once where they agree, refused or averaged where not."""

from dataclasses import dataclass, replace

import numpy as np

from nasgem_core.benchmarks.table import TabularSpace
from nasgem_core.errors import DataError, ParameterError

REFUSE, MEAN = "refuse", "mean"


@dataclass(frozen=True, eq=False)
class Joined:
    """A table in which each cell is once.

    Args:
        table: the distinct cells, in the order of their first rows.
        rows: number of rows before.
        disagreeing: number of cells whose rows disagreed in a metric, which is now their mean.
    """

    table: TabularSpace
    rows: int
    disagreeing: int


def join_duplicates(table: TabularSpace, how: str = REFUSE) -> Joined:
    """Return the table with each cell once; rows with equal hashes hold the same cell.

    Args:
        table: its rows are counted from 1 in messages.
        how: `refuse` or `mean`, for rows that disagree.

    Raises:
        DataError: rows disagree and are to be refused; it names two of them.
        ParameterError: `how` is neither.
    """
    if how not in (REFUSE, MEAN):
        raise ParameterError(f"duplicates = {how!r}: must be {REFUSE} or {MEAN}")
    _, first, group = np.unique(table.hashes, axis=0, return_index=True, return_inverse=True)
    group = group.reshape(-1)
    origin = first[group]
    disagreeing = np.zeros(len(first), dtype=bool)
    columns = {}
    for metric, values in table.metrics.items():
        differing = np.flatnonzero(values != values[origin])
        if len(differing) and how == REFUSE:
            row = differing[0]
            raise DataError(
                f"{table.name}: row {row + 1} holds the same cell as row {origin[row] + 1} (up to the order of "
                f"vertices), but {metric!r} is {values[row]!s} and not {values[origin[row]]!s}: keep one of them, or "
                "their mean with --duplicates mean"
            )
        disagreeing[group[differing]] = True
        columns[metric] = values.copy()
        if len(differing):
            mean = np.bincount(group, weights=values.astype(np.float64)) / np.bincount(group)
            columns[metric][first] = mean.astype(np.float32)
    kept = np.sort(first)
    columns = {metric: values[kept] for metric, values in columns.items()}
    distinct = replace(table, cells=table.cells[kept], metrics=columns, hashes=table.hashes[kept])
    return Joined(distinct, len(table), int(disagreeing.sum()))
