import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from nasgem_core.deployment import checking
from nasgem_core.deployment.checking import check_forms, classifier_examples, script_of
from nasgem_core.deployment.form import forms_named
from nasgem_core.errors import DataError

SOURCE = """
import torch

def build(weights):
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(3, 4, 2)
    return torch.nn.Sequential(layer, torch.nn.Flatten())
"""


def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 4, 2), nn.Flatten())


def examples():
    return classifier_examples(network(), 2)


def folder_with(folder):
    (folder / "network.py").write_text(SOURCE)
    save_file({}, folder / "weights.safetensors")
    return folder


def test_an_equal_form_has_no_difference_and_nothing_is_left_behind(tmp_path):
    (found,) = check_forms(examples(), folder_with(tmp_path), forms_named(["python"]))
    assert (found.form, found.largest) == ("python", 0.0) and found.output > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["network.py", "weights.safetensors"]


def test_a_form_that_fails_is_reported_with_its_reason(tmp_path):
    (tmp_path / "network.py").write_text("import nasgem_core")
    with pytest.raises(DataError, match="does not run in a process without this package: ImportError: nasgem_core"):
        check_forms(examples(), tmp_path, forms_named(["python"]))
    assert not (tmp_path / "inputs.npz").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda outputs: outputs + 1e-3, r"the exported form 'onnx' differs from the original by 0\.001"),
        (lambda outputs: outputs * np.nan, "the exported form 'onnx' differs from the original by nan"),
        (lambda outputs: outputs[:, :3], r"gives outputs of shapes \[\(1, 3\), \(3, 3\)\], the original \[\(1, 4\)"),
    ],
)
def test_a_form_that_differs_is_refused(tmp_path, monkeypatch, change, message):
    def run(folder, script):
        with np.load(folder / "inputs.npz") as file, torch.no_grad():
            outputs = [network()(torch.from_numpy(file[f"images.{i}"])).numpy() for i in range(2)]
        np.savez(folder / "outputs.npz", **{f"onnx.{i}.0": change(array) for i, array in enumerate(outputs)})

    monkeypatch.setattr(checking, "_run_isolated", run)
    with pytest.raises(DataError, match=message):
        check_forms(examples(), tmp_path, forms_named(["onnx"]))
    assert list(tmp_path.iterdir()) == []


def test_a_network_without_finite_outputs_is_refused():
    broken = network()
    nn.init.constant_(broken[0].bias, float("nan"))
    with pytest.raises(DataError, match="numbers that are not finite for random images: train it first"):
        classifier_examples(broken, 2)


@pytest.mark.parametrize(("depth", "steady"), [(3, True), (40, False)])
def test_a_network_whose_outputs_hang_on_rounding_is_refused(depth, steady):
    class Chaotic(nn.Module):
        """The logistic map, which makes a small difference about twice as large each time."""

        def forward(self, inputs):
            values = torch.sigmoid(inputs.flatten(1))
            for _ in range(depth):
                values = 4 * values * (1 - values)
            return values

    if steady:
        assert len(classifier_examples(Chaotic(), 2).logits) == 2
        return
    with pytest.raises(DataError, match="when pixels change in their last digit, so forms of it cannot be compared"):
        classifier_examples(Chaotic(), 2)


def test_plugins_are_shut_out_too(tmp_path, monkeypatch):
    monkeypatch.setattr(checking, "plugin_packages", lambda: ("colorsys",))
    text = SOURCE.replace("import torch", "import colorsys, torch", 1)
    (tmp_path / "network.py").write_text(text)
    with pytest.raises(DataError, match="ImportError: colorsys is shut out"):
        check_forms(examples(), tmp_path, forms_named(["python"]))
    assert script_of(tmp_path, [], "detector").endswith("'safetensors', 'colorsys'))\n")
