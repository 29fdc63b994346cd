import numpy as np
import pytest

from nasgem_core.errors import DataError
from nasgem_core.predictors.embedding_report import REPORTED, embedding_report


def test_an_embedding_that_follows_accuracy_and_one_that_does_not():
    rng = np.random.default_rng(0)
    truth = rng.random(400)
    angle = truth * np.pi / 2
    following = np.stack([np.cos(angle), np.sin(angle)], 1)
    report = embedding_report(following, truth, truth, 2.0)
    assert tuple(report) == REPORTED
    assert report["similarity_correlation"] == pytest.approx(-1)
    other = embedding_report(rng.normal(size=(400, 8)), truth, truth, 2.0)
    assert abs(other["similarity_correlation"]) < 0.05


def test_variances_are_those_of_the_definition_and_the_bound_holds():
    rng = np.random.default_rng(1)
    embeddings, weights = rng.normal(size=(300, 5)), rng.normal(size=5)
    predicted, bound = embeddings @ weights, float(np.linalg.norm(weights))
    report = embedding_report(embeddings, predicted, predicted, bound)
    assert report["embedding_variance"] == pytest.approx(np.trace(np.cov(embeddings.T, bias=True)))
    assert report["prediction_variance"] == pytest.approx(predicted.var())
    assert report["prediction_variance"] <= report["variance_bound"]
    assert report["variance_bound"] == pytest.approx(bound**2 * report["embedding_variance"])


def test_lengths_that_differ_are_refused():
    with pytest.raises(DataError, match="3 embeddings, 2 predictions, 3 accuracies"):
        embedding_report(np.zeros((3, 2)), np.zeros(2), np.zeros(3), 1.0)
