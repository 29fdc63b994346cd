from collections import Counter

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, RationalQuadratic

from nasgem_core.errors import DataError, ParameterError
from nasgem_core.predictors.covariances import COVARIANCES
from nasgem_core.predictors.gp import GaussianProcess
from nasgem_core.predictors.predictor import normal_scores
from nasgem_core.predictors.relevances import SUBTREES, Relevances
from nasgem_core.predictors.subtrees import SIMILARITIES
from tests.predictors.ranking import OTHERS, ROWS, tau_on_others


def explicit_features(process: GaussianProcess, space, rows: np.ndarray) -> np.ndarray:
    """Return vectors whose inner products are those that the process takes its covariance of."""
    weights = {name: value.numpy() for name, value in process.weights.items()}
    names = sorted(set(space.groups))
    sizes = Counter(space.groups)
    relevance = [
        np.exp(weights["group"][names.index(group)] + weights["feature"][f]) / sizes[group]
        for f, group in enumerate(space.groups)
    ]
    blocks = [space.features[rows] * np.sqrt(relevance)]
    labels = space.subtree_labels(rows)
    for k in range(SIMILARITIES):
        known = np.unique(labels[:, k][labels[:, k] != 0])
        counts = (labels[:, k, :, None] == known).sum(1)
        unit = counts / np.linalg.norm(counts, axis=1, keepdims=True)
        blocks.append(np.sqrt(np.exp(weights["similarity"][k])) * unit)
    return np.concatenate(blocks, 1)


def test_the_posterior_mean_is_that_of_scikit_learn(space, accuracies):
    process = GaussianProcess(space, "rational_quadratic", Relevances()).fit(ROWS, accuracies[ROWS], 0)
    vectors = explicit_features(process, space, np.arange(len(space)))
    amplitude, noise = (float(process.weights[name].exp()) for name in ("amplitude", "noise"))
    kernel = ConstantKernel(amplitude) * RationalQuadratic(length_scale=1, alpha=1)
    peer = GaussianProcessRegressor(kernel, alpha=noise + 1e-5, optimizer=None)
    peer.fit(vectors[ROWS], normal_scores(ROWS, accuracies[ROWS]))
    np.testing.assert_allclose(process.predict(OTHERS), peer.predict(vectors[OTHERS]), atol=2e-3)


def test_what_is_left_out_is_predicted_as_by_a_process_without_it(space, accuracies):
    values = normal_scores(ROWS, accuracies[ROWS])
    process = GaussianProcess(space, "rational_quadratic", Relevances()).regress(ROWS, values)
    left_out = process.left_out()
    assert left_out.shape == ROWS.shape
    for i in (0, 7):
        others = np.delete(np.arange(len(ROWS)), i)
        without = GaussianProcess(space, "rational_quadratic", Relevances())
        without.condition(ROWS[others], values[others], process.weights)
        assert left_out[i] == pytest.approx(without.predict(ROWS[i : i + 1])[0], abs=1e-3)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_a_known_rule_is_learned_and_learned_alike_again(space, accuracies, covariance):
    process = GaussianProcess(space, covariance, Relevances())
    assert tau_on_others(process, accuracies) > 0.75
    first = process.predict(OTHERS)
    process.fit(ROWS[:20], accuracies[ROWS[:20]], 1)
    assert not np.array_equal(first, process.predict(OTHERS))
    assert np.array_equal(first, process.fit(ROWS, accuracies[ROWS], 2).predict(OTHERS))


def test_isomorphic_cells_have_equal_scores(doubled, accuracies):
    process = GaussianProcess(doubled, "arc_cosine", Relevances()).fit(ROWS, accuracies[ROWS], 0)
    np.testing.assert_allclose(*np.split(process.predict(np.arange(len(doubled))), 2), atol=1e-4)


def test_the_group_that_rules_the_labels_becomes_relevant(space):
    labels = space.features[:, space.names.index("depth:top0")].astype(np.float64)
    labels = labels + 1e-3 * np.random.default_rng(0).normal(size=len(labels))
    process = GaussianProcess(space, "rational_quadratic", Relevances()).fit(ROWS, labels[ROWS], 0)
    names = sorted(set(space.groups))
    assert names[int(process.weights["group"].argmax())] == "depth"


def test_emphasis_and_spread_are_the_prior(space, accuracies):
    tight = Relevances({"depth": 1.5, SUBTREES: -2.0}, group_spread=1e-3, feature_spread=1e-3)
    weights = GaussianProcess(space, "rational_quadratic", tight).fit(ROWS, accuracies[ROWS], 0).weights
    names = sorted(set(space.groups))
    depth, walk = (float(weights["group"][names.index(name)]) for name in ("depth", "walk"))
    assert depth - walk == pytest.approx(1.5, abs=0.02)
    assert float(weights["similarity"].mean()) - walk == pytest.approx(-2, abs=0.02)
    assert float(weights["feature"].abs().max()) < 0.02


def test_relevances_of_many_cells_are_learned_on_a_part_of_them(space, accuracies, monkeypatch):
    monkeypatch.setattr("nasgem_core.predictors.gp._LEARNED_ROWS", 50)
    many = GaussianProcess(space, "rational_quadratic", Relevances()).fit(ROWS, accuracies[ROWS], 0)
    few = GaussianProcess(space, "rational_quadratic", Relevances()).fit(ROWS[:50], accuracies[ROWS[:50]], 0)
    assert not np.array_equal(many.predict(OTHERS), few.predict(OTHERS))
    assert tau_on_others(many, accuracies) > tau_on_others(few, accuracies, ROWS[:50])


def test_no_cell_has_no_score(space, accuracies):
    process = GaussianProcess(space, "arc_cosine", Relevances()).fit(ROWS, accuracies[ROWS], 0)
    assert len(process.predict(OTHERS[:0])) == 0


def test_unknown_covariances_and_equal_labels_are_refused(space):
    with pytest.raises(ParameterError, match="covariance = 'linear': must be one of rational_quadratic, arc_cosine"):
        GaussianProcess(space, "linear", Relevances())
    with pytest.raises(DataError, match="no two differ"):
        GaussianProcess(space, "arc_cosine", Relevances()).fit(ROWS, np.ones(len(ROWS)), 0)
