import json

import pytest
import torch

from nasgem_core.deployment import detectors
from nasgem_core.deployment.detectors import CANVAS_KEY, export_detector, load_detector
from nasgem_core.deployment.folders import CARD_FILE, read_network
from nasgem_core.deployment.programs import CARD_KEY
from nasgem_core.detection.spec import DetectorSpec
from nasgem_core.errors import DataError, ParameterError
from tests.deployment.detectors import detector_spec, detector_weights, pictures


@pytest.mark.slow
def test_an_exported_detector_detects_the_same(tmp_path):
    spec, steps = detector_spec(), []
    weights = detector_weights(spec)
    found = export_detector(spec, weights, tmp_path / "out", ("python",), steps.append)
    assert list(found.files) == [CARD_FILE, "network.py", "weights.safetensors"] and not found.left_out
    assert [(d.form, d.values, d.largest) for d in found.differences] == [
        ("python", "boxes", 0),
        ("python", "scores", 0),
    ]
    assert min(d.output for d in found.differences) > 0
    assert len(steps) == 2 and steps[-1] == "comparing each form with the original, in a process without nasgem"
    document, read = read_network(tmp_path / "out" / CARD_FILE, tmp_path / "out" / "weights.safetensors")
    assert DetectorSpec.from_json(document) == spec
    assert all(torch.equal(read[name], tensor) for name, tensor in weights.items())
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["retinanet", "faster_rcnn"])
def test_all_forms_are_written_and_equal_the_original(kind, tmp_path, capfd):
    import onnxruntime

    spec = detector_spec(kind=kind, square=True)
    found = export_detector(spec, detector_weights(spec), tmp_path / "out")
    rows = [(form, values) for form in ("python", "torch", "onnx") for values in ("boxes", "scores")]
    assert [(difference.form, difference.values) for difference in found.differences] == rows
    assert all(d.largest <= 1e-5 * d.output for d in found.differences) and not found.left_out
    session = onnxruntime.InferenceSession(tmp_path / "out" / "network.onnx")
    notes = session.get_modelmeta().custom_metadata_map
    assert DetectorSpec.from_json(notes[CARD_KEY]) == spec and json.loads(notes[CANVAS_KEY]) == [64, 64]
    assert [port.name for port in session.get_inputs()] == ["image", "size", "threshold"]
    assert [port.name for port in session.get_outputs()] == ["boxes", "labels", "scores"]
    assert [port.shape for port in session.get_outputs()] == [["objects", 4], ["objects"], ["objects"]]
    assert capfd.readouterr() == ("", "")


def test_a_detector_is_loaded_and_leaves_the_random_state():
    spec = detector_spec()
    weights = detector_weights(spec)
    state = torch.get_rng_state()
    detector = load_detector(spec, weights)
    assert torch.equal(torch.get_rng_state(), state) and not detector.training
    with pytest.raises(DataError, match="the weights are not those of retinanet-g: "):
        load_detector(detector_spec("conv3x3", "conv3x3", "conv1x1", "conv1x1"), weights)


def test_what_was_seen_before_changes_nothing():
    """Torchvision keeps the scales that it took from the first picture, and takes wrong ones from a wide one."""
    spec = detector_spec(kind="faster_rcnn", square=True)
    weights = detector_weights(spec)
    first, second = load_detector(spec, weights), load_detector(spec, weights)
    wide, high = pictures((20, 64), (64, 48))
    first.lowest_score = second.lowest_score = 0.0
    with torch.no_grad():
        second([wide])
        for name, tensor in first([high])[0].items():
            assert torch.equal(second([high])[0][name], tensor)


def test_unknown_forms_and_reasons_are_named(tmp_path, monkeypatch):
    spec = detector_spec()
    with pytest.raises(ParameterError, match="form 'keras' is unknown: choose from python, torch, onnx"):
        export_detector(spec, {}, tmp_path / "out", ("keras",))

    def refuse(*arguments):
        raise DataError("layer 3 is a Mystery")

    monkeypatch.setattr(detectors, "detector_file", refuse)
    with pytest.raises(DataError, match="layer 3 is a Mystery"):
        export_detector(spec, detector_weights(spec), tmp_path / "out", ("python",))
    assert list(tmp_path.iterdir()) == []
