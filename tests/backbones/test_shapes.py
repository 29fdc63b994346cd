import pytest
import torch

from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.published.catalogue import published_network
from nasgem_core.backbones.published.mobile import SCALABLE
from nasgem_core.backbones.shapes import shapes_only
from nasgem_core.backbones.spec import ScaledSpec

BUILDS = {family: ScaledSpec(family, 5, (64, 64), family, 0.35, 16).build for family in SCALABLE}
BUILDS["darts"] = lambda: published_network("darts", 5)


@pytest.mark.parametrize("name", BUILDS)
def test_a_network_without_values_has_the_shapes_and_costs_of_one_with_them(name):
    with shapes_only():
        empty = BUILDS[name]()
    full = BUILDS[name]()
    assert {key: value.shape for key, value in empty.state_dict().items()} == {
        key: value.shape for key, value in full.state_dict().items()
    }
    assert all(value.is_meta for value in empty.state_dict().values())
    assert count_costs(empty, (64, 64)) == count_costs(full, (64, 64))


def test_networks_built_afterwards_have_values():
    with shapes_only():
        torch.nn.Linear(2, 2)
    assert torch.nn.Linear(2, 2).weight.abs().sum() > 0
