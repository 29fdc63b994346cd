import json

from nasgem_core.deployment import originals
from nasgem_core.deployment.detectors import load_detector
from nasgem_core.deployment.originals import CANVAS_KEY, Classifier, WholeDetector
from nasgem_core.deployment.programs import CARD_KEY
from tests.deployment.detectors import detector_spec, detector_weights
from tests.deployment.networks import card, gemnet_spec, trained


def test_a_classifier_is_captured_once_for_each_engine(monkeypatch):
    calls = []
    monkeypatch.setattr(originals, "capture", lambda *arguments: calls.append(arguments) or "program")
    spec = gemnet_spec()
    original = Classifier(card(spec), trained(spec))
    assert original.program == original.program == "program"
    assert original.onnx_program == original.onnx_program == "program"
    (network, name, (example,), free), (for_onnx, *others) = calls
    assert others[0] == name and "norm" not in str(for_onnx)
    assert "norm" not in str(network) and name == original.name == "GEMNet-S"
    assert example.shape == (2, 3, 32, 32) and list(free[0]) == [0]
    assert original.notes == {CARD_KEY: card(spec).to_json()} and original.spec == spec


def test_a_detector_is_captured_with_the_size_of_its_canvas(monkeypatch):
    monkeypatch.setattr(originals, "capture", lambda module, name, example: (name, example[0].shape))
    spec = detector_spec(square=True)
    original = WholeDetector(spec, load_detector(spec, detector_weights(spec)))
    assert (
        original.program == original.onnx_program == ("retinanet-g", (3, 64, 64))
        and original.document == spec.to_json()
    )
    assert json.loads(original.notes[CANVAS_KEY]) == [64, 64]
