from collections import Counter

import networkx as nx
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from nasgem_core.errors import DataError
from nasgem_core.kernel.wl import wl_labels, wl_similarity
from nasgem_core.predictors.predictor import normal_scores
from nasgem_core.predictors.rivals.nas_bowl import (
    WeisfeilerLehmanProcess,
    counted_labels,
    counts_of,
    gram,
    marginal_likelihood,
    squared_norms,
)
from tests.predictors.rivals.checks import tau_on_others

COUNT = 40
PLACES = np.indices((COUNT, COUNT)).reshape(2, -1)


@pytest.mark.parametrize("directions", ["both", "successors"])
@pytest.mark.parametrize("iterations", [0, 2])
def test_the_kernel_is_the_products_own(space, directions, iterations):
    labels = counted_labels(space.cells[:COUNT], iterations, directions, assignment=False)
    left, right = (space.cells[places] for places in PLACES)
    wanted = wl_similarity(left, right, iterations, directions).reshape(COUNT, COUNT)
    assert np.allclose(gram(labels), wanted)


@pytest.mark.filterwarnings("ignore:The hashes produced for directed graphs changed")
def test_the_kernel_is_that_of_networkx(space):
    """Which, as ours, keeps successors and predecessors apart."""
    counts = []
    for adjacency, codes in zip(space.cells.adjacency[:COUNT], space.cells.codes[:COUNT], strict=True):
        graph = nx.DiGraph()
        graph.add_nodes_from((v, {"kind": str(code)}) for v, code in enumerate(codes.tolist()) if code)
        graph.add_edges_from(np.argwhere(adjacency).tolist())
        hashes = nx.weisfeiler_lehman_subgraph_hashes(
            graph, node_attr="kind", iterations=2, include_initial_labels=True
        )
        counts.append(Counter((t, values[t]) for values in hashes.values() for t in range(3)))
    product = np.array([[sum(a[p] * b[p] for p in a) for b in counts] for a in counts], dtype=float)
    norms = np.sqrt(product.diagonal())
    labels = counted_labels(space.cells[:COUNT], 2, "both", assignment=False)
    assert np.allclose(gram(labels), product / norms / norms[:, None])


def test_optimal_assignment_is_the_intersection_of_counts(space):
    plain = wl_labels(space.cells[:COUNT], 2)
    counts = [Counter((t, x) for t in range(3) for x in cell[t].tolist() if x) for cell in plain]
    common = np.array([[(a & b).total() for b in counts] for a in counts], dtype=float)
    norms = np.sqrt(common.diagonal())
    labels = counted_labels(space.cells[:COUNT], 2, "both", assignment=True)
    assert np.array_equal(squared_norms(labels), common.diagonal())
    assert np.allclose(gram(labels), common / norms / norms[:, None])


def test_counts_leave_out_padding_and_unknown_labels():
    labels = np.array([[[3, 5, 3, 0]], [[9, 5, 0, 0]]], dtype=np.uint64)
    assert counts_of(labels, np.array([3, 5], dtype=np.uint64)).toarray().tolist() == [[2, 1], [0, 1]]
    assert squared_norms(labels).tolist() == [5, 2]


def test_the_marginal_likelihood_is_that_of_a_normal_distribution(space, accuracies):
    kernel = gram(counted_labels(space.cells[:COUNT], 1, "both", assignment=False))
    targets = accuracies[:COUNT] - accuracies[:COUNT].mean()

    def highest(noise: float) -> float:
        covariance = kernel + noise * np.eye(COUNT)
        amplitude = targets @ np.linalg.solve(covariance, targets) / COUNT
        return multivariate_normal(cov=amplitude * covariance).logpdf(targets)

    value, noise = marginal_likelihood(kernel, targets)
    assert value == pytest.approx(highest(noise) + 0.5 * COUNT * (1 + np.log(2 * np.pi)))
    assert highest(noise) >= max(highest(0.5 * noise), highest(2 * noise))


@pytest.mark.parametrize("assignment", [False, True])
def test_predictions_are_the_posterior_mean(space, accuracies, assignment):
    rows = np.arange(60)
    process = WeisfeilerLehmanProcess(space, "both", assignment).fit(rows, accuracies[rows], 0)
    kernel = gram(counted_labels(space.cells[:100], process.iterations, "both", assignment))
    scores = process.predict(np.arange(100))
    solved = np.linalg.solve(kernel[:60, :60] + process.noise * np.eye(60), normal_scores(rows, accuracies[rows]))
    assert np.allclose(scores, kernel[:, :60] @ solved)


def test_it_learns_and_reads_no_seed(space, renumbered, accuracies):
    assert tau_on_others(WeisfeilerLehmanProcess(space, "both", assignment=True), accuracies) > 0.5
    rows, everything = np.arange(50), np.arange(len(space))
    first, second = (
        WeisfeilerLehmanProcess(which, "both", assignment=True).fit(rows, accuracies[rows], seed).predict(everything)
        for which, seed in ((space, 1), (renumbered, 2))
    )
    assert np.allclose(first, second)


def test_labels_that_rank_nothing_are_refused(space):
    with pytest.raises(DataError, match="no two differ"):
        WeisfeilerLehmanProcess(space, "both", assignment=False).fit(np.arange(3), np.ones(3), 0)
