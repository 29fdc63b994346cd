import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgem_core.cells.edits import edit_cells, renumber_cells
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from tests.cells.graphs import are_isomorphic


@settings(max_examples=20)
@given(st.integers(0, 2**62), st.integers(2, 20))
def test_edited_cells_are_valid(seed, vertices):
    batch = sample_cells(CellsConfig(vertices=vertices), 20, seed)
    edited = edit_cells(batch, np.arange(20), seed)
    assert all(cell.num_vertices >= 2 for cell in edited)
    assert np.array_equal(edited.adjacency[0], batch.adjacency[0])


def test_one_edit_changes_one_thing():
    batch = sample_cells(CellsConfig(vertices=10, edge_probability=(0.9, 0.9)), 500, 1)
    edited = edit_cells(batch, np.ones(500, dtype=int), 2)
    for before, after in zip(batch, edited, strict=True):
        if before.num_vertices == after.num_vertices:
            changed = int((before.adjacency != after.adjacency).sum())
            changed += sum(a != b for a, b in zip(before.operations, after.operations, strict=True))
            assert changed <= 1
    differs = (edited.adjacency != batch.adjacency).any(axis=(1, 2)) | (edited.codes != batch.codes).any(axis=1)
    # Left as they were: an operation replaced by itself (half of three tenths), a vertex for which there is no room.
    assert 0.7 < differs.mean() < 0.9


def test_the_input_batch_is_left_alone():
    batch = sample_cells(CellsConfig(), 5, 0)
    copy = batch.adjacency.copy()
    edit_cells(batch, np.full(5, 9), 1)
    renumber_cells(batch, np.ones(5, dtype=bool), 1)
    assert np.array_equal(batch.adjacency, copy)


def test_renumbered_cells_are_isomorphic_and_mostly_different():
    batch = sample_cells(CellsConfig(vertices=9, edge_probability=(0.1, 0.5)), 40, 3)
    renumbered = renumber_cells(batch, np.ones(40, dtype=bool), 5)
    assert all(are_isomorphic(a, b) for a, b in zip(batch, renumbered, strict=True))
    assert (renumbered.adjacency != batch.adjacency).any(axis=(1, 2)).sum() > 15
    chosen = renumber_cells(batch, np.arange(40) < 20, 5)
    assert np.array_equal(chosen.adjacency[20:], batch.adjacency[20:])
