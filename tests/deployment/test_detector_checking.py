import numpy as np
import pytest
import torch

from nasgem_core.deployment import checking
from nasgem_core.deployment.detector_checking import check_detector_forms, detector_examples
from nasgem_core.deployment.detector_program import OUTPUTS, detector_program
from nasgem_core.deployment.detectors import load_detector
from nasgem_core.deployment.form import forms_named
from nasgem_core.errors import DataError
from tests.deployment.detectors import detector_spec, detector_weights


@pytest.fixture(scope="module")
def detector():
    spec = detector_spec(square=True)
    return load_detector(spec, detector_weights(spec))


@pytest.fixture
def run_here(monkeypatch, detector):
    """Run the program as form `onnx` in this process, its outputs changed; return what it was given."""
    given = {}

    def start(change):
        def run(folder, script):
            program, _ = detector_program(detector)
            with np.load(folder / "inputs.npz") as file:
                given.update({name: file[name] for name in file.files})
            outputs = {}
            for i in ("0", "1"):
                inputs = (torch.as_tensor(given[name]) for name in (f"image.{i}", f"size.{i}", "threshold"))
                with torch.no_grad():
                    found = dict(zip(OUTPUTS, (tensor.numpy() for tensor in program(*inputs)), strict=True))
                outputs |= {f"onnx.{i}.{place}": array for place, array in enumerate(change(found).values())}
            np.savez(folder / "outputs.npz", **outputs)

        monkeypatch.setattr(checking, "_run_isolated", run)
        return given

    return start


def test_objects_in_another_order_are_the_same(detector, run_here, tmp_path):
    given = run_here(lambda found: {name: array[::-1].copy() for name, array in found.items()})
    boxes, scores = check_detector_forms(detector_examples(detector), tmp_path, forms_named(["onnx"]))
    assert (boxes.form, boxes.values, scores.values) == ("onnx", "boxes", "scores")
    assert boxes.largest <= 1e-4 and 1 < boxes.output <= 64 and 0 < scores.output < 1
    assert {name for name in given if name.startswith("picture.")} == {"picture.0", "picture.1", "picture.2"}
    assert given["picture.2"].dtype == np.uint8 and not list(tmp_path.iterdir())
    assert given["size.0"].tolist() == [48, 64] and given["size.1"].tolist() == [64, 48]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda found: {**found, "boxes": found["boxes"] + 0.1},
            r"differs .* by 0\.1, where boxes reach",
        ),
        (lambda found: {**found, "scores": found["scores"] * 0.99}, "where scores reach"),
        (lambda found: {**found, "labels": 1 - found["labels"]}, "which are not the"),
        (lambda found: {**found, "boxes": found["boxes"] + 5}, "which are not the"),
        (lambda found: {**found, "boxes": found["boxes"] * np.nan}, "which are not the"),
        (lambda found: {name: array[:-1] for name, array in found.items()}, "in a random picture, which are not the"),
    ],
    ids=["moved", "scores", "labels", "elsewhere", "nan", "fewer"],
)
def test_a_form_that_differs_is_refused(detector, run_here, tmp_path, change, message):
    run_here(change)
    with pytest.raises(DataError, match=message):
        check_detector_forms(detector_examples(detector), tmp_path, forms_named(["onnx"]))


@pytest.mark.parametrize(
    ("fill", "message"),
    [(float("nan"), "finds nothing in random images|not finite"), (0.0, "the same highest score: train it first")],
)
def test_a_detector_without_findings_is_refused(fill, message):
    spec = detector_spec()
    weights = detector_weights(spec)
    logits = {name: tensor for name, tensor in weights.items() if "cls_logits" in name}
    broken = load_detector(spec, weights | {name: torch.full_like(tensor, fill) for name, tensor in logits.items()})
    with pytest.raises(DataError, match=message):
        detector_examples(broken)
