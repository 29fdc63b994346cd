import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.edits import renumber_cells
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from tests.cells.graphs import are_isomorphic, cells


@settings(max_examples=150)
@given(st.lists(cells(max_vertices=5, names=("conv1x1", "dwconv3x3")), min_size=2, max_size=6))
def test_keys_agree_exactly_with_networkx(some):
    keys = CellBatch.from_cells(some).keys
    for (a, key_a), (b, key_b) in itertools.combinations(zip(some, keys, strict=True), 2):
        assert (key_a == key_b) == are_isomorphic(a, b)


@settings(max_examples=20)
@given(st.integers(0, 2**62), st.integers(6, 35))
def test_keys_survive_renumbering(seed, vertices):
    batch = sample_cells(CellsConfig(vertices=vertices, operations=("conv1x1",)), 50, seed)
    renumbered = renumber_cells(batch, np.ones(50, dtype=bool), seed)
    assert renumbered.keys == batch.keys


def test_all_unlabelled_dags_on_four_vertices():
    # Every graph on four vertices, pruned: networkx counts the classes.
    pairs = list(itertools.combinations(range(4), 2))
    found = []
    for bits in itertools.product((0, 1), repeat=len(pairs)):
        adjacency = np.zeros((4, 4), dtype=int)
        for (u, v), bit in zip(pairs, bits, strict=True):
            adjacency[u, v] = bit
        if adjacency[0].any():
            found.append(Cell.pruned(adjacency, ("input", "conv3x3", "conv3x3", "conv3x3")))
    classes = []
    for cell in found:
        if not any(are_isomorphic(cell, other) for other in classes):
            classes.append(cell)
    assert len(set(CellBatch.from_cells(found).keys)) == len(classes)


def _bipartite_cell(edges, half):
    """Input -> every upper vertex -> lower vertices by `edges`."""
    adjacency = np.zeros((2 * half + 1, 2 * half + 1), dtype=int)
    adjacency[0, 1 : half + 1] = 1
    for u, v in edges:
        adjacency[1 + u, 1 + half + v] = 1
    return Cell(adjacency, ("input",) + ("conv1x1",) * (2 * half))


def test_regular_graphs_that_refinement_cannot_tell_apart():
    # A 12-cycle and two 6-cycles between upper and lower vertices: every vertex has two neighbours, so colours tie.
    ring = [(i, i) for i in range(6)] + [(i, (i + 1) % 6) for i in range(6)]
    twice = [(i, i) for i in range(6)] + [(i, 3 * (i // 3) + (i + 1) % 3) for i in range(6)]
    one, two = _bipartite_cell(ring, 6), _bipartite_cell(twice, 6)
    assert not are_isomorphic(one, two)
    assert one.canonical_key != two.canonical_key
    rng = np.random.default_rng(0)
    for cell in (one, two):
        batch = renumber_cells(CellBatch.from_cells([cell] * 20), np.ones(20, dtype=bool), int(rng.integers(1000)))
        assert set(batch.keys) == {cell.canonical_key}


def test_operations_count_by_name():
    adjacency = np.array([[0, 1], [0, 0]])
    a, b = Cell(adjacency, ("input", "conv1x1")), Cell(adjacency, ("input", "conv3x3"))
    assert a.canonical_key != b.canonical_key
    wide = CellBatch.from_cells([a, b], ("conv3x3", "conv1x1"), width=30)
    assert wide.keys == [a.canonical_key, b.canonical_key]


def test_a_random_batch_has_as_many_keys_as_networkx_finds_classes():
    batch = sample_cells(CellsConfig(vertices=5, operations=("conv1x1",)), 80, 4)
    graphs = []
    for cell in batch:
        if not any(are_isomorphic(cell, other) for other in graphs):
            graphs.append(cell)
    assert len(set(batch.keys)) == len(graphs)


@settings(max_examples=15)
@given(st.integers(0, 2**62), st.integers(3, 25))
def test_isomorphic_cells_have_one_representative(seed, vertices):
    batch = sample_cells(CellsConfig(vertices=vertices), 10, seed)
    renumbered = renumber_cells(batch, np.ones(10, dtype=bool), seed)
    for before, after in zip(batch, renumbered, strict=True):
        assert before.canonical_form() == after.canonical_form()
        assert before.canonical_form().canonical_key == before.canonical_key
