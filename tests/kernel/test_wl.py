from collections import Counter

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.cells.edits import renumber_cells
from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.errors import CellError
from nasgem_core.kernel.wl import wl_labels, wl_similarity
from tests.cells.graphs import cells, to_networkx


def subtree_counts(cell, iterations, directions="both"):
    """Label counts by nested tuples of sorted neighbour labels: exact, slow, nothing hashed."""
    graph = to_networkx(cell)
    labels = {v: graph.nodes[v]["operation"] for v in graph}
    counts = Counter((0, label) for label in labels.values())
    for t in range(1, iterations + 1):
        labels = {
            v: (
                labels[v],
                tuple(sorted(repr(labels[u]) for u in graph.predecessors(v))) if directions == "both" else (),
                tuple(sorted(repr(labels[u]) for u in graph.successors(v))),
            )
            for v in graph
        }
        counts.update((t, label) for label in labels.values())
    return counts


def plain_similarity(a, b, iterations, directions="both"):
    x, y = (subtree_counts(cell, iterations, directions) for cell in (a, b))

    def dot(p, q):
        return sum(n * q[label] for label, n in p.items())

    return dot(x, y) / np.sqrt(dot(x, x) * dot(y, y))


@settings(max_examples=80)
@given(cells(), cells(), st.integers(0, 4), st.sampled_from(["both", "successors"]))
def test_similarity_equals_the_plain_definition(a, b, iterations, directions):
    left, right = (CellBatch.from_cells([c], ("conv1x1", "dwconv3x3", "conv3x3"), width=8) for c in (a, b))
    measured = wl_similarity(left, right, iterations, directions)[0]
    assert measured == pytest.approx(plain_similarity(a, b, iterations, directions), abs=1e-12)


@pytest.mark.filterwarnings("ignore:The hashes produced for directed graphs changed")
@settings(max_examples=40)
@given(cells(max_vertices=10), st.integers(1, 3))
def test_labels_part_vertices_as_networkx_does(cell, iterations):
    # networkx keeps successors and predecessors apart as well.
    graph = to_networkx(cell)
    hashes = nx.weisfeiler_lehman_subgraph_hashes(
        graph, node_attr="operation", iterations=iterations, include_initial_labels=True
    )
    labels = wl_labels(CellBatch.from_cells([cell]), iterations)[0]
    for t in range(iterations + 1):
        ours = labels[t, : cell.num_vertices]
        theirs = [hashes[v][t] for v in range(cell.num_vertices)]
        same_ours = ours[:, None] == ours[None, :]
        same_theirs = np.array([[a == b for b in theirs] for a in theirs])
        assert np.array_equal(same_ours, same_theirs)


def test_three_vertices_by_hand():
    chain = Cell(np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]]), ("input", "conv1x1", "conv1x1"))
    fork = Cell(np.array([[0, 1, 1], [0, 0, 0], [0, 0, 0]]), ("input", "conv1x1", "conv1x1"))
    names = ("conv1x1",)
    left, right = CellBatch.from_cells([chain], names), CellBatch.from_cells([fork], names)
    # h = 0: counts are (1 input, 2 conv1x1) on both sides.
    assert wl_similarity(left, right, 0)[0] == pytest.approx(1.0)
    # h = 1 adds three different labels in the chain; in the fork one and a pair; none is shared.
    assert wl_similarity(left, right, 1)[0] == pytest.approx(5 / np.sqrt((5 + 3) * (5 + 1 + 4)))


@settings(max_examples=15)
@given(st.integers(0, 2**62))
def test_similarity_is_a_normalised_invariant(seed):
    config = CellsConfig(vertices=20)
    a, b = sample_cells(config, 40, seed), sample_cells(config, 40, seed + 1)
    similarity = wl_similarity(a, b, 3)
    assert ((similarity > 0) & (similarity <= 1 + 1e-12)).all()
    assert np.allclose(similarity, wl_similarity(b, a, 3), atol=0)
    renumbered = renumber_cells(b, np.ones(40, dtype=bool), seed)
    assert np.array_equal(wl_similarity(a, renumbered, 3), similarity)
    assert np.allclose(wl_similarity(renumbered, b, 3), 1.0)


def test_labels_do_not_depend_on_batch_or_width():
    cell = sample_cells(CellsConfig(vertices=70, edge_probability=(0.2, 0.2)), 1, 0).cell(0)
    alone = wl_labels(CellBatch.from_cells([cell]), 3)[0]
    wide = wl_labels(CellBatch.from_cells([cell, cell], ("conv3x3", "dwconv3x3", "conv1x1"), width=140), 3)[1]
    assert np.array_equal(wide[:, : cell.num_vertices], alone)
    assert (wide[:, cell.num_vertices :] == 0).all()


def test_labels_are_the_same_in_every_process():
    # A value frozen here would differ if labels hung on hash randomisation or on the platform's endianness.
    cell = Cell(np.array([[0, 1], [0, 0]]), ("input", "conv1x1"))
    assert [int(x) for x in wl_labels(CellBatch.from_cells([cell]), 1)[0].ravel()] == FROZEN


FROZEN = [1452443887097238118, 3255307504013572049, 12703419276906398988, 9672199472932847165]


def test_errors_name_the_field():
    batch = sample_cells(CellsConfig(vertices=5), 2, 0)
    with pytest.raises(CellError, match="directions = 'up'"):
        wl_labels(batch, 1, "up")
    with pytest.raises(CellError, match="the same number of cells"):
        wl_similarity(batch, batch[:1], 1)
    with pytest.raises(CellError, match="5 and 6 vertices"):
        wl_similarity(batch, sample_cells(CellsConfig(vertices=6), 2, 0), 1)
