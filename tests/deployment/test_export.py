import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import nn

from nasgem_core.cells.cell import Cell
from nasgem_core.deployment import export, originals
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.export import export_network
from nasgem_core.deployment.folders import CARD_FILE, read_network
from nasgem_core.deployment.form import FORMS
from nasgem_core.deployment.forms import python
from nasgem_core.deployment.forms import torch as torch_program
from nasgem_core.deployment.specs import load_network
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.operations.registry import OPERATIONS
from tests.deployment.networks import LAYOUT, SKELETON, card, gemnet_spec, images, proxy_spec, trained


def exported(folder, spec=None, forms=("python",), **options):
    spec = spec or gemnet_spec()
    network = trained(spec)
    return network, export_network(card(spec), network.state_dict(), folder, forms, **options)


@pytest.fixture
def unchecked(monkeypatch):
    """Leave out the check, a process of its own that takes seconds, where something else is tested."""
    monkeypatch.setattr(export, "check_forms", lambda examples, folder, forms: [])


def every_operation():
    """Return a cell with each operation twice: behind as many channels as it gives, and behind a concatenation."""
    names = ("input", *OPERATIONS.names(), *OPERATIONS.names())
    adjacency = np.eye(len(names), k=1, dtype=np.uint8)
    for vertex in range(1 + len(OPERATIONS.names()), len(names)):
        adjacency[vertex - 2, vertex] = 1
    return Cell(adjacency, names)


@pytest.mark.slow
@pytest.mark.parametrize("block", [{}, {"nonlinearity": "hard_swish", "squeeze": 0.25, "activation": "never"}], ids=str)
def test_all_forms_are_written_and_equal_the_original(block, tmp_path, capfd):
    import onnxruntime

    layout = replace(LAYOUT, skeleton=replace(SKELETON, **block))
    steps, spec = [], replace(gemnet_spec(), cell=every_operation(), layout=layout)
    _, found = exported(tmp_path / "out", spec, forms=None, on_step=steps.append)
    assert [difference.form for difference in found.differences] == ["onnx", "python", "torch"]
    assert all(d.largest <= 1e-5 * d.output and d.output > 0.01 for d in found.differences) and not found.left_out
    names = ["classify.py", "network.json", "network.onnx", "network.pt2", "network.py", "weights.safetensors"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names == list(found.files)
    assert steps[-1] == "comparing each form with the original, in a process without nasgem" and len(steps) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    session = onnxruntime.InferenceSession(tmp_path / "out" / "network.onnx")
    assert session.get_modelmeta().custom_metadata_map == {"card.json": card(spec).to_json()}
    assert [port.name for port in (*session.get_inputs(), *session.get_outputs())] == ["images", "logits"]
    shapes = [port.shape for port in (*session.get_inputs(), *session.get_outputs())]
    assert shapes == [["batch", 3, 32, 32], ["batch", 3]]
    assert capfd.readouterr() == ("", "")


def test_a_folder_gives_card_and_network_back(tmp_path):
    network, found = exported(tmp_path / "deep" / "out", proxy_spec())
    assert found.differences[0].largest == 0
    folder = tmp_path / "deep" / "out"
    document, weights = read_network(folder / CARD_FILE, folder / "weights.safetensors")
    own = NetworkCard.from_json(document)
    assert own == card(proxy_spec())
    with torch.no_grad():
        assert torch.equal(load_network(own, weights)(images(proxy_spec())), network(images(proxy_spec())))
    with safe_open(folder / "weights.safetensors", "pt") as file:
        assert NetworkCard.from_dict(json.loads(file.metadata()["nasgem"])["network"]) == own


def test_an_earlier_export_is_replaced_and_nothing_else(tmp_path, unchecked):
    exported(tmp_path / "out")
    (tmp_path / "out" / "network.onnx").write_text("of an earlier export")
    exported(tmp_path / "out", proxy_spec())
    assert json.loads((tmp_path / "out" / "network.json").read_text())["name"] == proxy_spec().name
    assert not (tmp_path / "out" / "network.onnx").exists()
    for path in (tmp_path / "mine", tmp_path / "file"):
        path.mkdir() if path.name == "mine" else path.write_text("precious")
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    (tmp_path / "out" / "my_app.py").write_text("precious")
    for name, fault in (
        ("mine", "mine has thesis.txt, which no export wrote"),
        ("file", "file exists and is not a folder"),
        ("out", "out has my_app.py, which no export wrote"),
    ):
        with pytest.raises(DataError, match=fault):
            exported(tmp_path / name)
    assert (tmp_path / "file").read_text() == (tmp_path / "mine" / "thesis.txt").read_text() == "precious"


def test_nothing_is_left_of_an_export_that_fails(tmp_path):
    network = trained(gemnet_spec())
    nn.init.constant_(network.classifier.bias, float("inf"))
    steps = []
    with pytest.raises(DataError, match="not finite"):
        export_network(card(gemnet_spec()), network.state_dict(), tmp_path / "out", ("python",), steps.append)
    assert list(tmp_path.iterdir()) == steps == []  # before the first form, which may take minutes


def test_a_network_without_python_file_says_why(tmp_path, monkeypatch, unchecked):

    def refuse(*arguments):
        raise DataError("layer 3 is a Mystery")

    monkeypatch.setattr(python, "source_of", refuse)
    with pytest.raises(DataError, match="layer 3 is a Mystery"):
        exported(tmp_path / "out")
    monkeypatch.setattr(originals, "capture", lambda network, name, inputs, free: None)
    monkeypatch.setattr(torch_program, "save_program", lambda program, name, path, notes: None)
    assert exported(tmp_path / "out", forms=("python", "torch"))[1].left_out == {"python": "layer 3 is a Mystery"}


def test_unknown_forms_are_named(tmp_path):
    with pytest.raises(ParameterError, match="unknown form 'keras': known are onnx, python, torch"):
        exported(tmp_path / "out", forms=("torch", "keras"))


def test_another_form_is_written_and_checked_like_ours(tmp_path, monkeypatch):
    monkeypatch.setattr(FORMS, "_added", {})
    FORMS.add("copied", replace(FORMS.get("python"), name="copied", file="copied.py", label="the copy"))
    steps = []
    _, found = exported(tmp_path / "out", forms=("copied",), on_step=steps.append)
    assert list(found.files) == ["copied.py", "network.json", "weights.safetensors"]
    assert [(d.form, d.largest) for d in found.differences] == [("copied", 0)] and steps[0] == "writing the copy"
    exported(tmp_path / "out", forms=("python",))
    assert not (tmp_path / "out" / "copied.py").exists()
