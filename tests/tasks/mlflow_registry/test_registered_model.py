import json

import numpy as np
import pytest
import torch

from nasgem_core.backbones.layout import IMAGENET
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.deployment.folders import CARD_FILE, WEIGHTS, read_network
from nasgem_core.deployment.specs import build_network
from nasgem_core.detection.annotations import Category
from nasgem_core.detection.settings import DetectorSettings
from nasgem_core.detection.spec import DetectorSpec
from nasgem_core.errors import DataError
from tasks.mlflow_registry import registered_model
from tasks.mlflow_registry.registered_model import classifier_candidate, detector_candidate, write_model
from tests.tasks.mlflow_registry.test_registry import CELL, SPEC, card

DETECTOR = DetectorSpec(
    GEMNetSpec("g", 2, (64, 64), CELL, IMAGENET, 8.0), (Category(1, "cat"),), DetectorSettings(pyramid_channels=8)
)


def test_a_classifier_says_what_it_is_and_what_it_reached():
    network = build_network(SPEC, 0)
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    found = classifier_candidate(card(0.5), weights)
    assert (found.name, found.measure, found.metrics) == ("small", "top1", {"top1": 0.5, "top5": 1.0})
    assert found.document == card(0.5).to_json() and Cell.from_dict(json.loads(found.cell)) == CELL
    assert all(torch.equal(found.weights[name], tensor) for name, tensor in network.state_dict().items())


def test_a_detector_says_what_it_is_and_what_it_reached():
    found = detector_candidate(DETECTOR, DETECTOR.build().state_dict(), {"AP": 0.25}, "det")
    assert (found.name, found.measure, found.metrics) == ("det", "AP", {"AP": 0.25})
    assert DetectorSpec.from_json(found.document) == DETECTOR and Cell.from_dict(json.loads(found.cell)) == CELL


def test_weights_of_another_network_are_refused():
    weights = {name: tensor for name, tensor in build_network(SPEC, 0).state_dict().items() if "bias" not in name}
    with pytest.raises(DataError):
        classifier_candidate(card(0.5), weights)
    with pytest.raises(DataError):
        detector_candidate(DETECTOR, weights, {}, "det")


def test_description_and_weights_are_passed_on_with_the_model(tmp_path, monkeypatch):
    seen = {}

    def save_program(network, folder, logged, shapes, files):
        seen.update(logged=logged, shapes=shapes, training=network.training)
        document, weights = read_network(*files)
        assert (files[0].name, files[1].name) == (CARD_FILE, WEIGHTS)
        seen.update(document=document.decode().strip(), weights=weights, gradients=torch.is_grad_enabled())

    monkeypatch.setattr(registered_model, "save_program", save_program)
    candidate = classifier_candidate(card(0.5), build_network(SPEC, 0).state_dict())
    write_model(candidate, tmp_path / "model", "logged")
    assert (seen["logged"], seen["shapes"]) == ("logged", ((3, 8, 8), (3,)))
    assert seen["document"] == card(0.5).to_json().strip() and not seen["training"] and not seen["gradients"]
    for name, tensor in candidate.weights.items():
        np.testing.assert_array_equal(seen["weights"][name], tensor)
