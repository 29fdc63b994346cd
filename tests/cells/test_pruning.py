import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgem_core.cells.cell import Cell
from nasgem_core.cells.pruning import prune_into
from nasgem_core.errors import CellError


@settings(max_examples=100)
@given(st.integers(2, 9), st.integers(0, 2**32 - 1))
def test_compiled_pruning_equals_that_of_cells(size, seed):
    rng = np.random.default_rng(seed)
    graph = np.triu(rng.random((size, size)) < 0.25, 1).astype(np.uint8)
    codes = np.concatenate([[1], rng.integers(2, 4, size - 1)]).astype(np.uint8)
    names = ("input", *(("conv1x1", "dwconv3x3")[code - 2] for code in codes[1:]))
    out_graph, out_codes = np.full((size, size), 9, np.uint8), np.full(size, 9, np.uint8)
    kept = prune_into(graph, codes, size, out_graph, out_codes)
    assert (out_codes[kept:] == 0).all()
    assert out_graph[kept:].sum() == out_graph[:, kept:].sum() == 0
    try:
        cell = Cell.pruned(graph, names)
    except CellError:
        assert kept == 1
    else:
        assert kept == cell.num_vertices
        assert np.array_equal(out_graph[:kept, :kept], cell.adjacency)
        assert [("conv1x1", "dwconv3x3")[code - 2] for code in out_codes[1:kept]] == list(cell.operations[1:])
