import json
import shutil

import pytest
import torch

from nasgem_core.backbones.layout import IMAGENET
from nasgem_core.backbones.published.catalogue import why_missing
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.deployment.folders import write_network
from nasgem_core.deployment.specs import build_network, load_network
from nasgem_core.detection.annotations import Category
from nasgem_core.detection.settings import DetectorSettings
from nasgem_core.detection.spec import DetectorSpec
from nasgem_core.errors import DataError, ParameterError
from tasks.deployment.open_network import open_network
from tests.tasks.mlflow_registry.test_registry import CELL, SPEC, card, register


@pytest.fixture
def folder(tmp_path):
    """Write a classifier's folder as an export does."""
    (tmp_path / "exported").mkdir()
    write_network(tmp_path / "exported", card(0.5).to_json(), build_network(SPEC).state_dict())
    return tmp_path / "exported"


def test_a_network_is_opened_by_folder_and_by_file(folder):
    found = open_network(str(folder), folder.parent)
    assert found.classifier == card(0.5) and found.source == str(folder) and found.trained
    shutil.copy(folder / "network.json", folder / "net.json")
    shutil.copy(folder / "weights.safetensors", folder / "net.safetensors")
    for name in ("net.json", "net.safetensors"):
        again = open_network(str(folder / name), folder.parent)
        assert again.classifier == card(0.5)
        assert all(torch.equal(again.weights[key], tensor) for key, tensor in found.weights.items())


def test_what_was_only_built_or_published_has_fresh_weights(tmp_path):
    spec = GEMNetSpec("g", 2, (64, 64), CELL, IMAGENET, 8.0)
    (tmp_path / "built.json").write_text(spec.to_json())
    for name, classes in ((str(tmp_path / "built.json"), 2), ("mnasnet_1_3", 1000)):
        found = open_network(name, tmp_path, untrained=True)
        assert not found.trained and len(found.classifier.classes) == classes
        load_network(found.classifier, found.weights)
        write_network(tmp_path, found.classifier.to_json(), found.weights)
        assert not open_network(str(tmp_path), tmp_path).trained  # an export does not forget it
        with pytest.raises(DataError, match=r"was built and not trained|is not there"):
            open_network(name, tmp_path)


@pytest.mark.parametrize("name", ["milenas", "nge", "gates"])
def test_a_published_network_that_is_not_rebuilt_says_why(name, tmp_path):
    with pytest.raises(
        ParameterError, match=rf"published network '{name}': .*{why_missing(name)[:20]}.*; choose one of"
    ):
        open_network(name, tmp_path, untrained=True)


def test_a_network_is_opened_by_its_registered_name(place):
    network, _ = register(place, 3, 0.5, model="opened")
    found = open_network("opened@champion", place.root)
    assert found.classifier == card(0.5)
    assert all(torch.equal(found.weights[name], tensor) for name, tensor in network.state_dict().items())


def test_detectors_and_classifiers_are_told_apart(folder, tmp_path):
    backbone = GEMNetSpec("g", 2, (64, 64), CELL, IMAGENET, 8.0)
    spec = DetectorSpec(backbone, (Category(1, "cat"),), DetectorSettings())
    (tmp_path / "detector").mkdir()
    write_network(tmp_path / "detector", spec.to_json(), {"weight": torch.zeros(1)})
    found = open_network(str(tmp_path / "detector"), tmp_path)
    assert found.detector == spec
    with pytest.raises(DataError, match="is the detector retinanet-g: use `nasgem detect` with it"):
        _ = found.classifier
    with pytest.raises(DataError, match="is the classifier small: use `nasgem predict` with it"):
        _ = open_network(str(folder), tmp_path).detector


def test_what_is_not_there_or_something_else_is_named(folder, tmp_path):
    for name in ("nothing", str(tmp_path / "x.safetensors"), str(folder / "network.py")):
        with pytest.raises(DataError, match=f"model '{name}' is not there: name a folder that `nasgem export` wrote"):
            open_network(name, tmp_path)
    for content in (CELL.to_dict(), {"schema": "nasgem.best_cell/1", "cell": CELL.to_dict()}):
        (tmp_path / "cell.json").write_text(json.dumps(content))
        path = str(tmp_path / "cell.json")
        with pytest.raises(DataError, match=f"{path} holds a cell, .*: `nasgem build {path} --macs 463M --output "):
            open_network(path, tmp_path, untrained=True)
    with pytest.raises(DataError, match=r"network\.json is missing"):
        open_network(str(tmp_path), tmp_path)
    for content in ("{", "[]", json.dumps({"schema": "nasgem.cell/1"})):
        (folder / "network.json").write_text(content)
        with pytest.raises(DataError, match=r"json is not the one that was written with weights\.safetensors"):
            open_network(str(folder), tmp_path)
