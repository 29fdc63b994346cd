import numpy as np
import pytest

from nasgem_core.cells.packing import pack_cells, unpack_cells
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import DataError


@pytest.mark.parametrize("vertices", [2, 3, 30])
def test_packing_both_ways(vertices):
    batch = sample_cells(CellsConfig(vertices=vertices), 50, 1)
    packed = pack_cells(batch)
    assert sum(a.nbytes for a in packed.values()) <= 50 * (vertices + (vertices * (vertices - 1) // 2 + 7) // 8)
    again = unpack_cells(packed, batch.operation_names)
    assert np.array_equal(again.adjacency, batch.adjacency)
    assert list(again) == list(batch)


def test_wrong_arrays_are_refused():
    packed = pack_cells(sample_cells(CellsConfig(vertices=9), 5, 1))
    with pytest.raises(DataError, match="do not match"):
        unpack_cells({"edges": packed["edges"][:, :2], "codes": packed["codes"]}, ("conv1x1",))
    with pytest.raises(DataError, match="need 'edges' and 'codes'"):
        unpack_cells({"edges": packed["edges"]}, ("conv1x1",))
