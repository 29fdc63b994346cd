from collections import Counter
from math import sqrt

import numpy as np
import pytest

from nasgem_core.cells.batch import CellBatch
from nasgem_core.kernel.wl import wl_labels, wl_similarity
from nasgem_core.predictors.subtrees import ITERATIONS, SIMILARITIES, SimilarityTo, subtree_labels

FIXED, OTHERS = np.arange(30), np.arange(20, 70)


@pytest.fixture(scope="module")
def similarities(space) -> np.ndarray:
    return SimilarityTo(space.subtree_labels(FIXED)).each(space.subtree_labels(OTHERS))


def test_similarities_are_cosines_of_label_counts(space, similarities):
    labels = space.subtree_labels(np.arange(70))
    counts = [[Counter(row[row != 0].tolist()) for row in cell] for cell in labels]
    for i, b in enumerate(OTHERS):
        for k in range(SIMILARITIES):
            for j in FIXED:
                one, two = counts[b][k], counts[j][k]
                dot = sum(one[label] * two[label] for label in one)
                norm = sqrt(sum(c * c for c in one.values()) * sum(c * c for c in two.values()))
                assert similarities[k, i, j] == pytest.approx(dot / norm, abs=1e-6)


def test_a_cell_is_like_itself(similarities):
    for i, b in enumerate(OTHERS):
        if b in FIXED:
            assert similarities[:, i, b] == pytest.approx(1, abs=1e-6)


def test_both_directions_refine_as_the_kernel_does(space):
    cells = space.cells[np.arange(40)]
    dots, norms = np.zeros(39), np.zeros((2, 39))
    left, right = cells[np.arange(39)], cells[np.arange(1, 40)]
    for t in range(2):  # the kernel adds the label counts of iterations 0 and 1
        for i in range(39):
            one, two = (Counter(wl_labels(cells, 1)[j, t].tolist()) for j in (i, i + 1))
            del one[0], two[0]
            dots[i] += sum(one[label] * two[label] for label in one)
            norms[:, i] += [sum(c * c for c in side.values()) for side in (one, two)]
    assert wl_similarity(left, right, 1) == pytest.approx(dots / np.sqrt(norms.prod(0)))
    both = space.subtree_labels(np.arange(40))[:, 2 * ITERATIONS :]
    assert np.array_equal(both, wl_labels(cells, ITERATIONS)[:, 1:])


def test_in_neighbours_are_the_out_neighbours_of_the_reversed_cell():
    graph = np.zeros((1, 4, 4), np.uint8)
    for u, v in ((0, 1), (0, 2), (1, 3), (2, 3)):
        graph[0, u, v] = 1
    # Turned round, the diamond has its operations in the reverse order: the labels of vertex v are at place 3 - v.
    labels = subtree_labels(CellBatch(graph, np.array([[1, 2, 3, 4]], np.uint8), ("a", "b", "end")))[0]
    turned = CellBatch(graph, np.array([[4, 3, 2, 1]], np.uint8), ("a", "b", "end"))
    assert np.array_equal(labels[:ITERATIONS], wl_labels(turned, ITERATIONS, "successors")[0, 1:])
    assert not np.array_equal(labels[:ITERATIONS], labels[ITERATIONS : 2 * ITERATIONS])


def test_combining_weighs_and_adds(space, similarities):
    weights = np.random.default_rng(0).random(SIMILARITIES)
    weights[3] = 0
    combined = SimilarityTo(space.subtree_labels(FIXED)).combine(space.subtree_labels(OTHERS), weights)
    np.testing.assert_allclose(combined, np.einsum("k,kij->ij", weights, similarities), rtol=1e-5)
    assert combined.dtype == np.float32


def test_cells_without_any_known_label_have_no_similarity(space):
    labels = space.subtree_labels(FIXED)
    foreign = np.where(labels != 0, labels ^ np.uint64(1), labels)
    assert not SimilarityTo(labels).combine(foreign, np.ones(SIMILARITIES)).any()
