import numpy as np
import pytest

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.encoders.features import cell_features, num_features
from nasgem_core.errors import CellError

NAMES = ("conv1x1", "dwconv3x3")


def test_a_cell_is_its_upper_triangle_and_one_hot_operations():
    cell = Cell(np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]]), ("input", "dwconv3x3", "conv1x1"))
    batch = CellBatch.from_cells([cell], NAMES)
    edges = [1, 1, 1]  # 0-1, 0-2, 1-2
    operations = [0, 0, 1, 0, 1, 0]  # absent, conv1x1, dwconv3x3 of vertices 1 and 2
    assert cell_features(batch, 3).tolist() == [edges + operations]


def test_a_narrow_cell_is_padded_with_absent_vertices():
    cell = Cell(np.array([[0, 1], [0, 0]]), ("input", "conv1x1"))
    batch = CellBatch.from_cells([cell], NAMES)
    edges = [1, 0, 0, 0, 0, 0]
    operations = [0, 1, 0, 1, 0, 0, 1, 0, 0]
    assert cell_features(batch, 4).tolist() == [edges + operations]
    wide = CellBatch.from_cells([cell], NAMES, width=4)
    assert cell_features(wide, 4).tolist() == [edges + operations]


def test_the_length_is_as_promised():
    batch = CellBatch.from_cells([], NAMES, width=30)
    assert cell_features(batch, 30).shape == (0, num_features(30, 2)) == (0, 435 + 29 * 3)


def test_a_wider_batch_is_refused():
    with pytest.raises(CellError, match="cells of 5 vertices do not fit an encoder of 4 vertices"):
        cell_features(CellBatch.from_cells([], NAMES, width=5), 4)
