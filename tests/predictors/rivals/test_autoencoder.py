from dataclasses import replace

import numpy as np
import pytest

from nasgem_core.config.search import EncoderConfig, PredictorConfig
from nasgem_core.errors import DataError
from nasgem_core.predictors.rivals import autoencoder
from nasgem_core.predictors.rivals.autoencoder import EmbeddingNetwork, pretrain_encoder
from tests.predictors.rivals.checks import tau_on_others

GUIDED = EncoderConfig(
    dimension=16, hidden=(64,), iterations=300, batch_size=128, learning_rate=4e-3, similarity_weight=30.0
)
PREDICTOR = PredictorConfig(hidden=(32,), iterations=150, weight_decay=0.01, members=1)


@pytest.fixture(scope="module")
def guided(space):
    return pretrain_encoder(space, GUIDED, 0, pairs=2000)


def test_guidance_is_learned_from_the_spaces_own_pairs(space, guided):
    plain = pretrain_encoder(space, replace(GUIDED, similarity_weight=0.0), 0, pairs=2000)
    similar, unguided = (EmbeddingNetwork(space, arrays, PREDICTOR).encoder.report for arrays in (guided, plain))
    assert similar.r_squared > max(0.3, unguided.r_squared + 0.2)
    assert unguided.edge_balanced_accuracy > 0.7


def test_it_learns(space, guided, accuracies):
    assert tau_on_others(EmbeddingNetwork(space, guided, PREDICTOR), accuracies) > 0.4


def test_equal_arguments_give_equal_results(space, guided, accuracies):
    again = pretrain_encoder(space, GUIDED, 0, pairs=2000)
    assert guided.keys() == again.keys()
    for name, array in guided.items():
        assert array.tobytes() == again[name].tobytes(), name
    rows, everything = np.arange(50), np.arange(len(space))
    predictor = EmbeddingNetwork(space, guided, PREDICTOR)
    first = predictor.fit(rows, accuracies[rows], 5).predict(everything)
    other = predictor.fit(rows, accuracies[rows], 6).predict(everything)
    assert np.array_equal(first, predictor.fit(rows, accuracies[rows], 5).predict(everything))
    assert not np.array_equal(first, other)


def test_numbering_does_not_matter(space, renumbered, guided, accuracies):
    rows, everything = np.arange(50), np.arange(len(space))
    first, second = (
        EmbeddingNetwork(which, guided, PREDICTOR).fit(rows, accuracies[rows], 5).predict(everything)
        for which in (space, renumbered)
    )
    assert np.array_equal(first, second)


def test_only_the_order_of_labels_counts(space, guided, accuracies):
    """So any score can be learned, also one that is no fraction."""
    rows, everything = np.arange(50), np.arange(len(space))
    predictor = EmbeddingNetwork(space, guided, PREDICTOR)
    first = predictor.fit(rows, accuracies[rows], 5).predict(everything)
    assert np.array_equal(first, predictor.fit(rows, np.exp(9 * accuracies[rows]), 5).predict(everything))


def test_other_arrays_are_refused(space, guided):
    with pytest.raises(DataError, match="the arrays are not an encoder: pre-train on the space again"):
        EmbeddingNetwork(space, {}, PREDICTOR)
    broken = {name: array for name, array in guided.items() if name != "encoder.0.weight"}
    with pytest.raises(DataError, match="weights do not match its parameters"):
        EmbeddingNetwork(space, broken, PREDICTOR)


def test_plain_and_guided_differ_by_the_similarity_loss_alone(space, monkeypatch):
    asked: list[tuple[EncoderConfig, int]] = []
    monkeypatch.setattr(autoencoder, "pretrain_encoder", lambda _, config, seed: asked.append((config, seed)) or {})
    for recipe in (autoencoder.PLAIN, autoencoder.GUIDED):
        assert recipe.pretrain is not None and recipe.pretrain(space, 7) == {}
        assert recipe.pretrainings == 3
    (plain, plain_seed), (guided, guided_seed) = asked
    assert (plain.similarity_weight, guided.similarity_weight) == (0.0, 1.0)
    assert replace(plain, similarity_weight=1.0) == guided
    assert (guided.dimension, guided.iterations, plain_seed, guided_seed) == (32, 10_000, 7, 7)
