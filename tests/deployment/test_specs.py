import pytest
import torch

from nasgem_core.backbones.spec import PublishedSpec
from nasgem_core.deployment.specs import build_network, load_network, read_spec
from nasgem_core.errors import DataError
from tests.deployment.networks import card, gemnet_spec, proxy_spec, trained


@pytest.mark.parametrize("spec", [gemnet_spec(), proxy_spec(), PublishedSpec("x", 3, (8, 8))], ids=type)
def test_every_kind_of_specification_is_read(spec):
    assert read_spec(spec.to_dict()) == spec


def test_what_is_no_network_is_refused():
    for document in ({}, None, [], {"schema": "nasgem.cell/1"}):
        with pytest.raises(DataError, match="not a network"):
            read_spec(document)


def test_fresh_weights_follow_the_seed_and_leave_the_random_state():
    torch.manual_seed(3)
    state = torch.get_rng_state()
    first, again, other = (build_network(gemnet_spec(), seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first["stem.layer.weight"], again["stem.layer.weight"])
    assert not torch.equal(first["stem.layer.weight"], other["stem.layer.weight"])


def test_a_network_has_its_weights_again():
    network = trained(gemnet_spec())
    rebuilt = load_network(card(gemnet_spec()), network.state_dict())
    assert not rebuilt.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(rebuilt.state_dict()[name], tensor)


def test_weights_of_another_network_are_named():
    weights = trained(gemnet_spec()).state_dict()
    with pytest.raises(DataError, match=r"not those of GEMNet-S: stages\.0\.0\.vertices\.0\.layer\.weight has shape"):
        load_network(card(gemnet_spec("conv3x3", "conv1x1", "conv1x1", "conv1x1")), weights)
    with pytest.raises(DataError, match=r"classifier\.bias has shape missing, the network wants"):
        load_network(card(gemnet_spec()), {name: weights[name] for name in weights if name != "classifier.bias"})
    with pytest.raises(DataError, match=r"extra has shape \(1,\), the network wants none"):
        load_network(card(gemnet_spec()), {**weights, "extra": torch.zeros(1)})


def test_classes_that_do_not_fit_are_named():
    with pytest.raises(DataError, match="names 1 classes, its network has 3"):
        load_network(card(gemnet_spec(), classes=("cat",)), {})
