"""How predictors read a table of measured cells: what its operations mean, and which features are likely to count.

The choices here were made on splits with seeds of 100 and more; `docs/predictors.md` has the measurements.
"""

import numpy as np

from nasgem_core.benchmarks import nasbench101, nasbench201
from nasgem_core.benchmarks.nasbench101 import OPERATIONS as OPERATIONS101
from nasgem_core.benchmarks.nasbench201_cells import OPERATIONS as OPERATIONS201
from nasgem_core.benchmarks.table import TabularSpace
from nasgem_core.cells.codes import FIRST_OPERATION_CODE
from nasgem_core.errors import DataError
from nasgem_core.predictors.notation import Notation, free_notation
from nasgem_core.predictors.relevances import SUBTREES, Relevances
from nasgem_core.predictors.space import Space

_NONE, _SKIP, _CONV1X1, _CONV3X3, _POOLING, _OUTPUT201 = OPERATIONS201
NASBENCH101 = Notation(OPERATIONS101[:3], (9.0, 1.0, 0.0), OPERATIONS101[3], divides_output=True)
NASBENCH201 = Notation((_CONV3X3, _CONV1X1, _POOLING, _SKIP), (9.0, 1.0, 0.0, 0.0), _OUTPUT201, zero=(_NONE,))
"""Of the contracted form, where a skip stands for a tensor that a sum holds once more."""
_NOTATIONS = {nasbench101.NAME: NASBENCH101, nasbench201.NAMES["contracted"]: NASBENCH201}

_STRONG = ("walk", "degree", "depth", "wwalk", "size", "subset:mass")
_MIDDLE = ("chain", "subset:fewest", "prefix", "count")
_STRONG_LEVEL, _MIDDLE_LEVEL, _OTHER_LEVEL = 1.2, 0.0, -1.0


def notation_of(table: TabularSpace) -> Notation:
    """Return how predictors read the table: as above, or as cells of the free space.

    Raises:
        DataError: the table's cells have more operations than predictors read, or stand in NAS-Bench-201's raw form.
    """
    if table.name in _NOTATIONS:
        return _NOTATIONS[table.name]
    if table.name == nasbench201.NAMES["raw"]:
        raise DataError(f"predictors do not read {table.name}: import {nasbench201.NAMES['contracted']}")
    names = enumerate(table.cells.operation_names, FIRST_OPERATION_CODE)
    return free_notation(name for code, name in names if (table.cells.codes == code).any())


def prediction_space(table: TabularSpace) -> Space:
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
                    f"{table.name}: metric {metric!r} counts, and in row {counts.argmin() + 1} is {counts.min()}"
                )
            columns[f"size:{metric}"] = np.log1p(counts)
    return Space.build(table.cells, notation_of(table), columns)


def prediction_prior(table: TabularSpace, space: Space) -> Relevances:
    """Return the processes' prior for the space that `prediction_space` gives of this table.

    On NAS-Bench-101 features of depth, width and bottlenecks are expected to count most. On 201 all groups are alike:
    there the same emphasis gained nothing.
    """
    if table.name != nasbench101.NAME:
        return Relevances()
    levels = dict.fromkeys({*space.groups, SUBTREES}, _OTHER_LEVEL)
    levels |= dict.fromkeys(_MIDDLE, _MIDDLE_LEVEL) | dict.fromkeys(_STRONG, _STRONG_LEVEL)
    return Relevances(levels, group_spread=0.5, feature_spread=0.7)
