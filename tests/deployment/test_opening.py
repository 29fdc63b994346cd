import numpy as np
import pytest
import torch

from nasgem_core.deployment.detectors import load_detector
from nasgem_core.deployment.folders import write_network
from nasgem_core.deployment.opening import open_network
from nasgem_core.deployment.predicting import classify, find_objects, prepare
from nasgem_core.errors import DataError
from tests.deployment.detectors import detector_spec, detector_weights
from tests.deployment.networks import card, gemnet_spec, photo, trained


@pytest.fixture
def classifier(tmp_path):
    """Write a classifier as an export does; return its folder, its network and its card."""
    network, own = trained(gemnet_spec()), card(gemnet_spec())
    write_network(tmp_path, own.to_json(), network.state_dict())
    return tmp_path, network, own


def test_a_classifier_is_opened_by_its_folder_and_by_its_files(classifier):
    folder, network, own = classifier
    picture = photo(80, 60)
    picture.save(folder / "photo.png")
    (folder / "network.safetensors").write_bytes((folder / "weights.safetensors").read_bytes())
    for path in (folder, str(folder), folder / "network.json", folder / "network.safetensors"):
        opened = open_network(path)
        assert opened.description == own and not opened.module.training
        with torch.inference_mode():
            torch.testing.assert_close(opened.module(prepare(picture, own)), network(prepare(picture, own)))
        assert (
            opened.classify(picture, 2)
            == opened.classify(folder / "photo.png", 2)
            == classify(network, own, picture, 2)
        )
    with pytest.raises(DataError, match=r"GEMNet-S is a classifier: use classify"):
        opened.detect(picture)


def test_a_detector_is_opened(tmp_path):
    spec = detector_spec()
    weights = detector_weights(spec)
    write_network(tmp_path, spec.to_json(), weights)
    opened, picture = open_network(tmp_path), photo(80, 60)
    found = opened.detect(picture, threshold=0.01)
    expected = find_objects(load_detector(spec, weights), ["cat", "dog"], picture, 0.01)
    assert found.names == expected.names
    np.testing.assert_allclose(found.boxes, expected.boxes)
    with pytest.raises(DataError, match=r"is a detector: use detect"):
        opened.classify(picture)


def test_what_is_not_there_or_changed_is_named(classifier):
    folder, _, _ = classifier
    with pytest.raises(DataError, match=r"missing/?.*is missing: name a folder that `nasgem export` wrote"):
        open_network(folder / "missing")
    (folder / "network.json").write_text("{")
    with pytest.raises(DataError, match=r"is not the one that was written with weights.safetensors"):
        open_network(folder)
