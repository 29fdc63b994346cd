"""Detectors leave nasgem like classifiers, see `test_export.py`."""

import json

import pytest
import torch

from nasgem_core.deployment.export import export_network
from nasgem_core.deployment.folders import CARD_FILE, read_network
from nasgem_core.deployment.forms import python
from nasgem_core.deployment.originals import CANVAS_KEY
from nasgem_core.deployment.programs import CARD_KEY
from nasgem_core.detection.spec import DetectorSpec
from nasgem_core.errors import DataError, ParameterError
from tests.deployment.detectors import detector_spec, detector_weights


@pytest.mark.slow
def test_an_exported_detector_detects_the_same(tmp_path):
    spec, steps = detector_spec(), []
    weights = detector_weights(spec)
    found = export_network(spec, weights, tmp_path / "out", ("python",), steps.append)
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
    found = export_network(spec, detector_weights(spec), tmp_path / "out")
    rows = [(form, values) for form in ("onnx", "python", "torch") for values in ("boxes", "scores")]
    assert [(difference.form, difference.values) for difference in found.differences] == rows
    assert all(d.largest <= 1e-5 * d.output for d in found.differences) and not found.left_out
    session = onnxruntime.InferenceSession(tmp_path / "out" / "network.onnx")
    notes = session.get_modelmeta().custom_metadata_map
    assert DetectorSpec.from_json(notes[CARD_KEY]) == spec and json.loads(notes[CANVAS_KEY]) == [64, 64]
    assert [port.name for port in session.get_inputs()] == ["image", "size", "threshold"]
    assert [port.name for port in session.get_outputs()] == ["boxes", "labels", "scores"]
    assert [port.shape for port in session.get_outputs()] == [["objects", 4], ["objects"], ["objects"]]
    assert capfd.readouterr() == ("", "")


def test_unknown_forms_and_reasons_are_named(tmp_path, monkeypatch):
    spec = detector_spec()
    with pytest.raises(ParameterError, match="unknown form 'keras': known are onnx, python, torch"):
        export_network(spec, {}, tmp_path / "out", ("keras",))

    def refuse(*arguments):
        raise DataError("layer 3 is a Mystery")

    monkeypatch.setattr(python, "detector_file", refuse)
    with pytest.raises(DataError, match="layer 3 is a Mystery"):
        export_network(spec, detector_weights(spec), tmp_path / "out", ("python",))
    assert list(tmp_path.iterdir()) == []
