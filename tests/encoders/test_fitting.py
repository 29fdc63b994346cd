from dataclasses import replace

import numpy as np
import pytest
import torch

from nasgem_core.cells.batch import CellBatch
from nasgem_core.config.search import CellsConfig, EncoderConfig, PairsConfig
from nasgem_core.encoders.features import cell_features
from nasgem_core.encoders.fitting import fit_encoder, split_pairs
from nasgem_core.encoders.ordering import order_vertices
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.kernel.pairs import draw_pairs
from nasgem_core.kernel.wl import wl_similarity

CONFIG = EncoderConfig(
    dimension=16, hidden=(64,), iterations=400, batch_size=128, learning_rate=4e-3, similarity_weight=30.0
)


@pytest.fixture(scope="module")
def data():
    cells = CellsConfig(vertices=8, edge_probability=(0.2, 0.6))
    pairs = draw_pairs(cells, PairsConfig(count=4000, max_edits=8), 1)
    return pairs, wl_similarity(pairs.left, pairs.right, 3)


@pytest.fixture(scope="module")
def guided(data):
    return fit_encoder(*data, CONFIG, 5)


def test_guidance_beats_a_constant_guess_on_held_out_pairs(guided):
    report = guided.report
    assert report.held_out_pairs == 400
    assert report.similarity_loss < 0.5 * report.constant_similarity_loss
    assert report.r_squared > 0.5


def test_without_guidance_the_cosine_does_not_follow_the_kernel(data, guided):
    plain = fit_encoder(*data, replace(CONFIG, similarity_weight=0.0), 5)
    assert plain.report.r_squared < guided.report.r_squared - 0.3
    assert plain.report.edge_accuracy > plain.report.constant_edge_accuracy
    assert plain.report.edge_balanced_accuracy > 0.8
    assert plain.report.edge_f1 > 0.7
    assert plain.report.operation_accuracy > max(0.9, plain.report.constant_operation_accuracy)


def test_the_reported_loss_is_that_of_the_embeddings(data, guided):
    """Cosine and variance are computed again from the embeddings of the held-out pairs."""
    pairs, similarity = data
    held_out, train = split_pairs(len(pairs), CONFIG.holdout, 5)
    left, right = guided.embed(pairs.left[held_out]), guided.embed(pairs.right[held_out])
    cosine = (left * right).sum(1) / np.linalg.norm(left, axis=1) / np.linalg.norm(right, axis=1)
    loss = np.mean((cosine - similarity[held_out]) ** 2)
    assert guided.report.similarity_loss == pytest.approx(loss, rel=1e-4)
    assert guided.report.r_squared == pytest.approx(1 - loss / similarity[held_out].var(), rel=1e-4)
    constant = np.mean((similarity[train].mean() - similarity[held_out]) ** 2)
    assert guided.report.constant_similarity_loss == pytest.approx(constant, rel=1e-4)


def test_the_reported_reconstruction_is_that_of_the_model(data, guided):
    pairs, _ = data
    held_out = split_pairs(len(pairs), CONFIG.holdout, 5)[0]
    both = CellBatch.concatenate([pairs.left[held_out], pairs.right[held_out]])
    features = cell_features(order_vertices(both), 8)
    logits = guided.autoencoder(torch.from_numpy(features).float())[1].numpy()
    edges, claimed = features[:, :28] == 1, logits[:, :28] > 0
    precision, recall = (edges & claimed).sum() / claimed.sum(), (edges & claimed).sum() / edges.sum()
    classes = features[:, 28:].reshape(-1, 7, 3).argmax(2)
    report = guided.report
    assert report.edge_accuracy == pytest.approx((edges == claimed).mean())
    assert report.constant_edge_accuracy == pytest.approx((~edges).mean())
    assert report.edge_balanced_accuracy == pytest.approx((recall + (~edges & ~claimed).sum() / (~edges).sum()) / 2)
    assert report.edge_f1 == pytest.approx(2 * precision * recall / (precision + recall))
    assert report.operation_accuracy == pytest.approx((logits[:, 28:].reshape(-1, 7, 3).argmax(2) == classes).mean())
    assert report.constant_operation_accuracy == pytest.approx(np.bincount(classes.ravel()).max() / classes.size)


def test_the_split_leaves_no_pair_out_and_uses_none_twice():
    held_out, train = split_pairs(1000, 0.1, 3)
    assert len(held_out) == 100
    assert sorted([*held_out, *train]) == list(range(1000))
    assert not np.array_equal(held_out, split_pairs(1000, 0.1, 4)[0])


def test_the_curve_falls(guided):
    curve = guided.report.curve
    assert len(curve) == 20
    assert (curve[0].step, curve[-1].step) == (1, CONFIG.iterations)
    assert curve[-1].similarity_loss < 0.3 * curve[0].similarity_loss
    assert curve[-1].reconstruction_loss < curve[0].reconstruction_loss
    assert curve[-1].held_out_similarity_loss == guided.report.similarity_loss


def test_fitting_repeats_to_the_byte_and_reports_progress(data):
    config = replace(CONFIG, iterations=25)
    calls: list[int] = []
    first = fit_encoder(*data, config, 7, on_progress=lambda step, figures: calls.append(step))
    second = fit_encoder(*data, config, 7)
    assert first.report == second.report
    assert calls[-1] == 25
    for name, array in first.weights.items():
        assert array.tobytes() == second.weights[name].tobytes(), name
    other = fit_encoder(*data, config, 8)
    assert other.weights["encoder.0.weight"].tobytes() != first.weights["encoder.0.weight"].tobytes()


def test_a_weight_of_zero_leaves_the_decoder_untrained(data):
    report = fit_encoder(*data, replace(CONFIG, iterations=25, reconstruction_weight=0.0), 7).report
    assert all(point.reconstruction_loss == 0 for point in report.curve)


def test_similarities_that_do_not_go_with_the_pairs_are_refused(data):
    pairs, similarity = data
    with pytest.raises(DataError, match=r"similarity has shape \(3999,\) for 4000 pairs"):
        fit_encoder(pairs, similarity[1:], CONFIG, 0)
    broken = similarity.copy()
    broken[7] = np.nan
    with pytest.raises(DataError, match=r"similarity\[7\] = nan: must be in \[0, 1\]; compute the kernel again"):
        fit_encoder(pairs, broken, CONFIG, 0)


def test_a_loss_that_runs_away_is_named(data):
    with pytest.raises(ParameterError, match=r"encoder.learning_rate = 1e.30: the loss is not finite after"):
        fit_encoder(*data, replace(CONFIG, learning_rate=1e30), 0)
