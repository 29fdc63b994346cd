"""How predictors read a table of measured cells: what its operations mean, and what is known of each cell."""

import numpy as np

from nasgem_core.benchmarks.benchmark import Benchmark
from nasgem_core.benchmarks.table import TabularSpace
from nasgem_core.cells.codes import FIRST_OPERATION_CODE
from nasgem_core.errors import DataError
from nasgem_core.predictors.notation import Notation, free_notation
from nasgem_core.predictors.space import Space


def notation_of(table: TabularSpace, benchmark: Benchmark) -> Notation:
    """Return how predictors read the table: as its benchmark says, or else as cells of the free space.

    Raises:
        DataError: the table's cells have more operations than predictors read, or predictors read another table.
    """
    if benchmark.read_instead:
        raise DataError(f"predictors do not read {table.name}: import {benchmark.read_instead}")
    if benchmark.notation is not None:
        return benchmark.notation
    names = enumerate(table.cells.operation_names, FIRST_OPERATION_CODE)
    return free_notation(name for code, name in names if (table.cells.codes == code).any())


def prediction_space(table: TabularSpace, benchmark: Benchmark) -> Space:
    """Return the table's cells with their features, in the table's order.

    The logarithms of parameters and MACs are two features more where the table has them; no accuracy is read.

    Raises:
        DataError: see `notation_of`; or a number of parameters or MACs is negative.
    """
    columns = {}
    for metric in ("params", "macs"):
        if metric in table.metrics:
            counts = table.metrics[metric]
            if (counts < 0).any():
                raise DataError(
                    f"{table.name}: metric {metric!r} is a count, and in row {counts.argmin() + 1} it is {counts.min()}"
                )
            columns[f"size:{metric}"] = np.log1p(counts)
    return Space.build(table.cells, notation_of(table, benchmark), columns)
