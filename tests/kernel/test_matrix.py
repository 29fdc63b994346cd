import numpy as np
import pytest

from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import CellError
from nasgem_core.kernel.matrix import wl_kernel
from nasgem_core.kernel.wl import wl_similarity

CELLS = sample_cells(CellsConfig(vertices=8), 12, 0)


@pytest.mark.parametrize(("iterations", "directions"), [(1, "both"), (3, "successors")])
def test_each_entry_is_the_similarity_of_its_pair(iterations, directions):
    matrix = wl_kernel(CELLS, iterations, directions)
    assert matrix.shape == (12, 12) and np.array_equal(matrix, matrix.T)
    for row in range(12):
        repeated = CELLS[np.full(12, row)]
        expected = wl_similarity(repeated, CELLS, iterations, directions)
        np.testing.assert_allclose(matrix[row], expected, rtol=1e-15)
    assert np.linalg.eigvalsh(matrix).min() > -1e-9


def test_cells_may_be_given_one_by_one():
    np.testing.assert_array_equal(wl_kernel(list(CELLS)), wl_kernel(CELLS))
    assert wl_kernel([CELLS.cell(0)]).tolist() == [[1.0]]


def test_an_unknown_direction_is_refused():
    with pytest.raises(CellError, match="directions = 'up'"):
        wl_kernel(CELLS, directions="up")
