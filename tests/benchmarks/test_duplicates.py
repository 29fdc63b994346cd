from dataclasses import replace

import numpy as np
import pytest

from nasgem_core.benchmarks.duplicates import join_duplicates
from nasgem_core.benchmarks.table import TabularSpace
from nasgem_core.errors import DataError, ParameterError
from tests.benchmarks.synthetic import synthetic_table

TABLE = synthetic_table(4)


def doubled(**metrics: list[float]) -> TabularSpace:
    """Return rows 0, 1, 1, 2, 3, 1 of four cells."""
    rows = np.array([0, 1, 1, 2, 3, 1])
    columns = {name: np.array(values, dtype=np.float32) for name, values in metrics.items()}
    return replace(TABLE, cells=TABLE.cells[rows], hashes=TABLE.hashes[rows], metrics=columns)


def test_rows_that_agree_are_kept_once_in_their_order():
    found = join_duplicates(doubled(label=[4, 3, 3, 2, 1, 3], truth=[1, 1, 1, 1, 1, 1]))
    assert (found.rows, found.disagreeing, found.table.cells.keys) == (6, 0, TABLE.cells.keys)
    assert found.table.metrics["label"].tolist() == [4, 3, 2, 1]


def test_rows_that_disagree_are_refused_or_averaged():
    table = doubled(label=[4, 3, 6, 2, 1, 9], truth=[1, 1, 1, 1, 1, 1])
    with pytest.raises(DataError, match=r"row 3 holds the same cell as row 2 .*'label' is 6.0 and not 3.0.*duplicates"):
        join_duplicates(table)
    decimals = doubled(label=[4, 0.6273, 0.6365, 2, 1, 0.6273], truth=[1, 1, 1, 1, 1, 1])
    with pytest.raises(DataError, match=r"'label' is 0\.6365 and not 0\.6273: keep one of them"):
        join_duplicates(decimals)
    found = join_duplicates(table, "mean")
    assert (found.rows, found.disagreeing) == (6, 1)
    assert found.table.metrics["label"].tolist() == [4, 6, 2, 1]
    assert table.metrics["label"].tolist() == [4, 3, 6, 2, 1, 9], "the given table stays as it is"
    with pytest.raises(ParameterError, match="duplicates = 'first': must be refuse or mean"):
        join_duplicates(table, "first")
