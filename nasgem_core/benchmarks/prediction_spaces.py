"""How predictors read a table of measured cells: what its operations mean, and what is known of each cell."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nasgem_core.benchmarks.benchmark import Benchmark
from nasgem_core.benchmarks.table import TabularSpace
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import FIRST_OPERATION_CODE
from nasgem_core.errors import DataError
from nasgem_core.operations.registry import OPERATIONS
from nasgem_core.predictors.notation import Notation, free_notation
from nasgem_core.predictors.recipe import Recipe
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
    cells = table.cells
    name_of = dict(enumerate(cells.operation_names, FIRST_OPERATION_CODE))
    output = _output_code(cells)
    used = [code for code in name_of if code != output and (cells.codes == code).any()]
    notation = free_notation(name_of[code] for code in used)
    return replace(notation, output=name_of[output]) if output else notation


def _output_code(cells: CellBatch) -> int:
    """Return the operation of the table's own that is the last vertex of every cell and no other, 0 where none is.

    It is the output, as in cells whose operations were on edges, and not something that computes.
    """
    if not len(cells):
        return 0
    last = cells.codes[np.arange(len(cells)), cells.num_vertices - 1]
    code, longer = int(last[0]), (cells.num_vertices > 2).any()
    once = ((cells.codes == code).sum(1) == 1).all() and (last == code).all()
    fed = (cells.adjacency.any(2).sum(1) == cells.num_vertices - 1).all()
    own = cells.operation_names[code - FIRST_OPERATION_CODE] not in OPERATIONS
    return code if longer and once and fed and own else 0


def check_readable(table: TabularSpace, benchmark: Benchmark, recipes: Mapping[str, Recipe]) -> None:
    """Say what keeps predictors from a table before any of them is fitted.

    Args:
        table: the table.
        benchmark: what is known of it.
        recipes: the predictors by name.

    Raises:
        DataError: see `notation_of`; or a predictor needs a metric that the table lacks, or that is equal in all rows.
    """
    notation_of(table, benchmark)
    varied = {metric for metric, values in table.metrics.items() if np.ptp(values) > 0}
    lacking = {name: [m for m in recipe.needs if m not in varied] for name, recipe in recipes.items()}
    words = [f"{name!r} needs {', '.join(map(repr, metrics))}" for name, metrics in lacking.items() if metrics]
    if words:
        raise DataError(
            f"benchmark.predictors: table {table.name!r} has no such column, or equal values in it: "
            f"{'; '.join(words)}; leave these predictors out, or import the table with the columns"
        )


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
    return Space.build(table.cells, notation_of(table, benchmark), columns, numbered=True)
