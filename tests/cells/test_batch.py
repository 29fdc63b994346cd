import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.errors import CellError
from tests.cells.graphs import NAMES, cells

DIAMOND = np.array([[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]])


@given(st.lists(cells(), min_size=1, max_size=5))
def test_cells_come_back_out_of_a_batch(some):
    batch = CellBatch.from_cells(some, NAMES, width=9)
    assert list(batch) == some
    assert batch.num_vertices.tolist() == [cell.num_vertices for cell in some]
    assert list(CellBatch.concatenate([batch, batch[1:]])) == some + some[1:]
    assert batch[0].cell(0) == some[0]


@given(st.lists(cells(), min_size=1, max_size=5))
def test_other_names_code_the_same_cells(some):
    batch = CellBatch.from_cells(some, NAMES)
    other = batch.with_operations(("skip", *NAMES[::-1]))
    assert list(other) == some and other.operation_names == ("skip", *NAMES[::-1])
    used = sorted({name for cell in some for name in cell.operations[1:]})
    assert list(batch.with_operations(used)) == some
    with pytest.raises(CellError, match=f"the operation '{used[0]}', which is not among"):
        batch.with_operations([name for name in NAMES if name != used[0]])


def test_what_does_not_fit_is_refused():
    cell = Cell(DIAMOND, ("input", "conv1x1", "dwconv3x3", "conv1x1"))
    with pytest.raises(CellError, match="has 4 vertices, more than the 3"):
        CellBatch.from_cells([cell], width=3)
    with pytest.raises(CellError, match="'dwconv3x3', which is not in this search space"):
        CellBatch.from_cells([cell], ("conv1x1",))
    a, b = CellBatch.from_cells([cell]), CellBatch.from_cells([cell], NAMES)
    with pytest.raises(CellError, match="cannot be joined"):
        CellBatch.concatenate([a, b])
    with pytest.raises(CellError, match="does not match"):
        CellBatch(a.adjacency, a.codes[:, :2], a.operation_names)
    with pytest.raises(CellError, match="code beyond"):
        CellBatch(a.adjacency, a.codes + (a.codes > 2) * np.uint8(7), a.operation_names).cell(0)
    with pytest.raises(CellError, match="1 first"):
        CellBatch(a.adjacency, np.full_like(a.codes, 3), a.operation_names).cell(0)


def test_width_and_names_come_from_the_cells_by_default():
    batch = CellBatch.from_cells([Cell(DIAMOND, ("input", "conv1x1", "dwconv3x3", "conv1x1"))])
    assert (batch.width, batch.operation_names) == (4, ("conv1x1", "dwconv3x3"))
    assert batch.codes.tolist() == [[1, 2, 3, 2]]
    empty = CellBatch.from_cells([], NAMES, width=5)
    assert len(empty) == 0 and list(empty) == [] and empty.keys == []
