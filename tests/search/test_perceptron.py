import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from nasgem_core.config.search import PredictorConfig
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.search.perceptron import FittedPredictor, fit_perceptron
from nasgem_core.search.ranking import prediction_error, rank_correlation
from nasgem_core.search.score import Measured, cost_term, efficiency_score, log_costs

SCORE = PredictorConfig(members=4)
ACCURACY = replace(SCORE, target="accuracy")


def cells_of(rows, seed):
    """Synthetic cells: accuracy follows two directions of the embedding, MACs a third."""
    rng = np.random.default_rng(seed)
    embeddings = rng.normal(size=(rows, 8)).astype(np.float32)
    accuracy = np.clip(0.6 + 0.05 * embeddings[:, 0] + 0.03 * np.tanh(2 * embeddings[:, 1]), 0, 1)
    macs = (30e6 * 10 ** (0.3 * embeddings[:, 2])).astype(np.int64)
    return embeddings, accuracy, macs


def fit(embeddings, accuracy, macs, config, seed, **options):
    return fit_perceptron(embeddings, Measured(accuracy, macs, 0.1), config, seed, **options)


@pytest.fixture(scope="module")
def fitted():
    return {config.target: fit(*cells_of(60, 0), config, 1) for config in (SCORE, ACCURACY)}


@pytest.mark.parametrize("target", ["score", "accuracy"])
def test_it_beats_a_constant_guess_on_new_cells(fitted, target):
    embeddings, accuracy, macs = cells_of(300, 9)
    measured = efficiency_score(accuracy, macs, 0.1)
    predicted = fitted[target].predict(embeddings, macs, 0.1)
    guess = efficiency_score(*cells_of(60, 0)[1:], 0.1).mean()
    error = prediction_error(predicted, measured, guess)
    assert error["squared_error"] < 0.4 * error["constant_squared_error"]
    assert rank_correlation(predicted, measured)["kendall_tau"] > 0.6


def test_accuracy_targets_take_any_penalty_exactly(fitted):
    embeddings, _, macs = cells_of(20, 3)
    predictor = fitted["accuracy"]
    accuracy = predictor.predict_accuracy(embeddings, macs)
    for penalty in (0.0, 0.1, 0.7):
        expected = (accuracy - cost_term(macs, penalty)).astype(np.float32)
        assert np.array_equal(predictor.predict(embeddings, macs, penalty), expected)


def test_what_macs_explain_of_the_accuracy_is_found_exactly():
    """Accuracies on a line in log10(MACs) are predicted on that line, far outside the fitted range too."""
    embeddings, _, macs = cells_of(12, 0)
    accuracy = 0.3 + 0.2 * log_costs(macs)
    predictor = fit(embeddings, accuracy, macs, replace(ACCURACY, iterations=10), 1)
    assert predictor.cost_trend == pytest.approx(0.2)
    predicted = predictor.predict_accuracy(embeddings[:3], np.array([10**6, 10**7, 10**9]))
    np.testing.assert_allclose(predicted, [0.3, 0.5, 0.9], atol=1e-4)


def test_a_member_is_the_network_fitted_alone():
    rows = cells_of(20, 0)
    config = replace(SCORE, iterations=30, hidden=(8,))
    alone = fit(*rows, replace(config, members=1), 1)
    together = fit(*rows, config, 1)
    for name in ("0.weight", "0.bias", "1.weight", "1.bias"):
        np.testing.assert_allclose(together.weights[name][0], alone.weights[name][0], rtol=1e-3, atol=1e-5)
        assert not np.allclose(together.weights[name][1], alone.weights[name][0], rtol=1e-2)


def test_the_prediction_is_the_mean_of_the_networks_by_hand(fitted):
    embeddings = cells_of(20, 3)[0]
    predictor = fitted["score"]
    inputs = (embeddings.astype(np.float64) - predictor.weights["input_mean"]) / predictor.weights["input_scale"]
    outputs = []
    for member in range(4):
        values = inputs
        for layer in range(3):
            values = np.maximum(values, 0) if layer else values
            values = values @ predictor.weights[f"{layer}.weight"][member] + predictor.weights[f"{layer}.bias"][member]
        outputs.append(values[:, 0])
    expected = np.mean(outputs, axis=0) * predictor.weights["target_scale"] + predictor.target_mean
    np.testing.assert_allclose(predictor.predict(embeddings, None, 0.1), expected, rtol=1e-4)


@pytest.mark.parametrize("target", ["score", "accuracy"])
def test_the_modules_together_are_the_predictor(fitted, target):
    embeddings, _, macs = cells_of(20, 3)
    networks = fitted[target].modules()
    assert len(networks) == 4
    with torch.no_grad():
        mean = torch.stack([network(torch.from_numpy(embeddings))[:, 0] for network in networks]).mean(0).numpy()
    expected = fitted[target].predict(embeddings, macs, 0.1)
    if target == "accuracy":
        expected += cost_term(macs, 0.1) - fitted[target].cost_trend * log_costs(macs)
    np.testing.assert_allclose(mean, expected, rtol=1e-4)


def test_fitting_repeats_to_the_byte_and_reports_progress():
    rows, calls = cells_of(20, 0), []
    config = replace(SCORE, iterations=20)
    first = fit(*rows, config, 1, on_progress=lambda step, figures: calls.append((step, figures)))
    second = fit(*rows, config, 1)
    for name, array in first.weights.items():
        assert array.tobytes() == second.weights[name].tobytes(), name
    assert calls[-1][0] == 20
    assert calls[-1][1]["squared_error"] < calls[0][1]["squared_error"]


def test_the_lipschitz_bound_holds_and_is_exact_for_one_linear_path():
    linear = FittedPredictor(
        replace(SCORE, hidden=(1,), members=1),
        0.1,
        4,
        0.0,
        0.0,
        {
            "0.weight": np.array([[[3.0], [4.0]]], dtype=np.float32),
            "0.bias": np.zeros((1, 1, 1), dtype=np.float32),
            "1.weight": np.array([[[2.0]]], dtype=np.float32),
            "1.bias": np.zeros((1, 1, 1), dtype=np.float32),
            "input_mean": np.zeros(2, dtype=np.float32),
            "input_scale": np.array([1.0, 1.0], dtype=np.float32),
            "target_scale": np.array([0.5], dtype=np.float32),
        },
    )
    assert linear.lipschitz_bound() == pytest.approx(5 * 2 * 0.5)
    assert linear.predict(np.array([[3.0, 4.0]]), None, 0.1).tolist() == [25.0]


def test_the_lipschitz_bound_holds_for_fitted_networks(fitted):
    a, b = cells_of(200, 4)[0], cells_of(200, 5)[0]
    predictor = fitted["score"]
    slopes = np.abs(predictor.predict(a, None, 0.1) - predictor.predict(b, None, 0.1)) / np.linalg.norm(a - b, axis=1)
    assert 0 < slopes.max() <= predictor.lipschitz_bound()


@pytest.mark.parametrize("target", ["score", "accuracy"])
def test_it_survives_safetensors_and_json(fitted, target):
    embeddings, _, macs = cells_of(20, 3)
    arrays, metadata = fitted[target].to_arrays()
    again = FittedPredictor.from_arrays(load(save(arrays)), json.loads(json.dumps(metadata)))
    assert np.array_equal(again.predict(embeddings, macs, 0.1), fitted[target].predict(embeddings, macs, 0.1))
    assert again.config == fitted[target].config


def test_what_is_no_predictor_is_refused(fitted):
    arrays, metadata = fitted["score"].to_arrays()
    with pytest.raises(DataError, match=r"field 'schema' must be 'nasgem.predictor/2', found None"):
        FittedPredictor.from_arrays(arrays, {})
    with pytest.raises(DataError, match="incomplete or of another version: 'rows'"):
        FittedPredictor.from_arrays(arrays, {k: v for k, v in metadata.items() if k != "rows"})
    with pytest.raises(DataError, match="arrays have shapes"):
        FittedPredictor.from_arrays(arrays, metadata | {"config": metadata["config"] | {"members": 2}})


def test_questions_it_cannot_answer_are_refused(fitted):
    embeddings, _, macs = cells_of(5, 3)
    with pytest.raises(ParameterError, match=r"penalty = 0.3: the predictor was fitted on scores with penalty 0.1"):
        fitted["score"].predict(embeddings, macs, 0.3)
    with pytest.raises(
        ParameterError, match=r"predictor.target = 'score': such a predictor does not predict accuracies"
    ):
        fitted["score"].predict_accuracy(embeddings, macs)
    with pytest.raises(DataError, match="costs must hold one number for each of the 5 cells"):
        fitted["accuracy"].predict(embeddings, None, 0.1)
    with pytest.raises(DataError, match=r"embeddings have shape \(5, 7\): the predictor was fitted on length 8"):
        fitted["score"].predict(embeddings[:, 1:], macs, 0.1)


def test_rows_that_cannot_be_learned_from_are_refused():
    embeddings, accuracy, macs = cells_of(6, 3)
    with pytest.raises(DataError, match="3 trained cells are too few to fit a predictor: give at least 4"):
        fit(embeddings[:3], accuracy[:3], macs[:3], SCORE, 0)
    with pytest.raises(DataError, match=r"costs has shape \(5,\) for 6 embeddings"):
        fit(embeddings, accuracy, macs[1:], SCORE, 0)
    with pytest.raises(DataError, match=r"embeddings have shape \(6,\): give one row per cell"):
        fit(embeddings[:, 0], accuracy, macs, SCORE, 0)
    failed = accuracy.copy()
    failed[2] = np.nan
    with pytest.raises(DataError, match=r"accuracy\[2\] = nan: not finite; leave out cells that failed"):
        fit(embeddings, failed, macs, SCORE, 0)
    with pytest.raises(ParameterError, match=r"predictor.learning_rate = 1e.30: the loss is not finite after"):
        fit(embeddings, accuracy, macs, replace(SCORE, learning_rate=1e30), 0)


def test_cells_of_one_score_predict_it_everywhere():
    embeddings, accuracy = cells_of(4, 0)[0], np.full(4, 0.5)
    predictor = fit(embeddings, accuracy, np.full(4, 10**6), replace(SCORE, iterations=5), 0)
    np.testing.assert_allclose(predictor.predict(cells_of(9, 1)[0], None, 0.1), 0.5, atol=1e-5)


def test_a_coordinate_without_spread_does_no_harm():
    embeddings, accuracy, macs = cells_of(20, 0)
    embeddings[:, 3] = 1.0
    predictor = fit(embeddings, accuracy, macs, replace(SCORE, iterations=5), 0)
    assert np.abs(predictor.predict(cells_of(9, 1)[0], None, 0.1)).max() < 2
