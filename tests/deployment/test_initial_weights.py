"""Weights that a training begins with: whose they may be, what is checked, and what stays."""

from dataclasses import replace

import pytest
import safetensors.torch
import torch

from nasgem_core.backbones.spec import ScaledSpec
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.folders import write_network
from nasgem_core.deployment.initial_weights import read_initial_weights
from nasgem_core.errors import DataError
from nasgem_core.training.classification import MEAN, STD

SPEC = ScaledSpec("mobilenet_v2", 3, (64, 64), "mobilenet_v2", 0.1, 16, 4)
CLASSES = ("cat", "dog", "owl")


@pytest.fixture
def exported(tmp_path):
    """Give a folder with a network of `SPEC`, and that network."""
    network = SPEC.build()
    card = NetworkCard("before", SPEC.to_dict(), CLASSES, 64, 1.0, MEAN, STD, {"top1": 0.5})
    write_network(tmp_path / "before", card.to_json(), network.state_dict())
    return tmp_path / "before", network


def test_a_network_trained_before_gives_all_its_weights_for_the_same_classes(exported):
    folder, before = exported
    weights, network = read_initial_weights(str(folder)), SPEC.build()
    assert weights.mismatch(network) == "" and weights.keeps_classifier(network, CLASSES)
    assert weights.words(network, CLASSES) == f"begins with the weights of {folder}"
    weights.load_into(network, CLASSES)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before.state_dict()[name]), name
    assert weights.digest == read_initial_weights(str(folder)).digest


@pytest.mark.parametrize("classes", [("cat", "dog", "fox"), ("cat", "dog", "fox", "owl", "rat")])
def test_the_classifier_is_new_for_other_classes(exported, classes):
    folder, before = exported
    weights, network = read_initial_weights(str(folder)), replace(SPEC, num_classes=len(classes)).build()
    own = network.classifier.weight.detach().clone()
    assert weights.words(network, classes).endswith(f"its classifier is new: 3 classes there, {len(classes)} here")
    weights.load_into(network, classes)
    assert torch.equal(network.classifier.weight, own)
    assert torch.equal(network.layers[0][0].weight, before.layers[0][0].weight)


@pytest.mark.parametrize("kind", ["mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0"])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_of_torchvision_have_the_names_of_ours(tmp_path, kind, suffix):
    import torchvision

    theirs = getattr(torchvision.models, kind)(num_classes=7)
    path = tmp_path / f"theirs{suffix}"
    if suffix == ".pth":
        torch.save(theirs.state_dict(), path)
    else:
        safetensors.torch.save_file(theirs.state_dict(), path)
    network = ScaledSpec(kind, 3, (64, 64), kind, 1.0, 16).build()
    weights = read_initial_weights(str(path))
    assert weights.mismatch(network) == ""
    assert weights.words(network, CLASSES).endswith("its classifier is new: 7 classes there, 3 here")
    weights.load_into(network, CLASSES)
    assert torch.equal(network.layers[0][0].weight, theirs.features[0][0].weight)


def test_another_width_is_named_by_its_first_difference(exported):
    wide = replace(SPEC, width=0.5).build()
    found = read_initial_weights(str(exported[0])).mismatch(wide)
    assert found.startswith("layers.0.0.weight has the shape [") and found.endswith("in the network")


def test_what_are_no_weights_is_named(tmp_path):
    with pytest.raises(DataError, match="nowhere is not there: name a folder that `nasgem export` wrote"):
        read_initial_weights(str(tmp_path / "nowhere"))
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(DataError, match=r"text\.pth cannot be read as weights, tensors by name without code"):
        read_initial_weights(str(tmp_path / "text.pth"))
    torch.save(SPEC.build(), tmp_path / "code.pth")
    with pytest.raises(DataError, match=r"code\.pth cannot be read as weights"):
        read_initial_weights(str(tmp_path / "code.pth"))
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(DataError, match=r"list\.pth holds no state dict"):
        read_initial_weights(str(tmp_path / "list.pth"))
