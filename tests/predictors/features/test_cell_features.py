import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.edits import renumber_cells
from nasgem_core.predictors.features.cell_features import cell_features, feature_names
from nasgem_core.predictors.notation import free_notation, lay_out
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
    for kinds in (1, 2, 3, 4, 5, 6, 12, 24):
        assert len(set(feature_names(kinds))) == len(feature_names(kinds))
    empty = CellBatch(np.zeros((0, 3, 3), np.uint8), np.zeros((0, 3), np.uint8), (*FREE.operations, "output"))
    assert cell_features(empty, FREE).shape == (0, len(feature_names(3)))


def test_features_of_many_operations_grow_with_their_square_at_most():
    counts = {kinds: len(feature_names(kinds)) for kinds in (6, 12, 24)}
    assert counts[12] < 4 * counts[6] and counts[24] < 4 * counts[12] and counts[24] < 10_000


def test_twelve_operations_are_told_apart_whatever_the_numbers_of_vertices():
    names = tuple(f"own_{i}" for i in range(12))
    rng = np.random.default_rng(0)
    graphs = np.triu(rng.integers(0, 2, (40, 8, 8)), 1).astype(np.uint8)
    graphs[:, 0, 1:] = 1
    codes = np.concatenate([np.ones((40, 1), int), rng.integers(2, 14, (40, 7))], 1).astype(np.uint8)
    batch, notation = CellBatch(graphs, codes, names), free_notation(names)
    renamed = renumber_cells(batch, np.ones(40, dtype=bool), 1)
    swapped = CellBatch(graphs, np.where(codes == 13, 12, codes).astype(np.uint8), names)
    first, second, third = (cell_features(lay_out(one, notation), notation) for one in (batch, renamed, swapped))
    np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)
    assert ((first != third).any(1) == (codes == 13).any(1)).all()
