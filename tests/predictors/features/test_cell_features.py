import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.edits import renumber_cells
from nasgem_core.predictors.features.cell_features import cell_features, feature_names
from nasgem_core.predictors.notation import lay_out
from tests.cells.graphs import NAMES, cells
from tests.predictors.features.oracle import DIVIDED, FREE, laid_out


@given(cells(max_vertices=7), st.integers(0, 2**31), st.booleans())
def test_renaming_vertices_changes_no_feature(cell, seed, divided):
    notation = DIVIDED if divided else FREE
    batch = CellBatch.from_cells([cell], NAMES)
    renamed = renumber_cells(batch, np.ones(1, dtype=bool), seed)
    both = [cell_features(lay_out(one, notation), notation) for one in (batch, renamed)]
    np.testing.assert_allclose(*both, rtol=1e-5, atol=1e-6)


@given(cells(max_vertices=6))
def test_room_for_more_vertices_changes_no_feature(cell):
    batch = laid_out(cell)
    roomy = CellBatch(
        np.pad(batch.adjacency, ((0, 0), (0, 2), (0, 2))), np.pad(batch.codes, ((0, 0), (0, 2))), batch.operation_names
    )
    assert np.array_equal(cell_features(batch, FREE), cell_features(roomy, FREE))


def test_names_are_distinct_and_number_the_columns():
    for kinds in (1, 2, 3, 4):
        assert len(set(feature_names(kinds))) == len(feature_names(kinds))
    empty = CellBatch(np.zeros((0, 3, 3), np.uint8), np.zeros((0, 3), np.uint8), (*FREE.operations, "output"))
    assert cell_features(empty, FREE).shape == (0, len(feature_names(3)))
