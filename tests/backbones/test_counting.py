import logging

import pytest
import torch
from fvcore.nn import FlopCountAnalysis
from torch import nn

from nasgem_core.backbones.counting import CountedCosts, count_costs
from nasgem_core.backbones.published.catalogue import published_names, published_network
from nasgem_core.backbones.published.genotypes import DARTS
from nasgem_core.backbones.published.stacked_cells import StackedCells
from nasgem_core.backbones.shapes import shapes_only


def counted_by_fvcore(network, size):
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    analysis = FlopCountAnalysis(network.eval(), torch.zeros(1, 3, *size))
    by_kind = analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).by_operator()
    return by_kind["conv"] + by_kind["linear"]


def test_a_network_worked_out_by_hand():
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(60, 2)
    )
    values = 4 * 10 * 6
    costs = count_costs(network, (10, 6))
    assert costs == CountedCosts(params=112 + 8 + 122, macs=27 * values + 120, elementwise=2 * values + values + values)


@pytest.mark.parametrize("size", [(64, 64), (50, 33)])
def test_multiply_adds_are_those_of_fvcore(size):
    network = StackedCells(DARTS, 8, 5, num_cells=3)
    assert count_costs(network, size).macs == counted_by_fvcore(network, size)


@pytest.mark.slow
@pytest.mark.parametrize("name", published_names())
def test_multiply_adds_of_published_networks_are_those_of_fvcore(name):
    network = published_network(name, 1000)
    assert count_costs(network, (224, 224)).macs == counted_by_fvcore(network, (224, 224))


def test_the_network_is_left_as_it_was():
    network = StackedCells(DARTS, 8, 5, num_cells=3)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    count_costs(network, (64, 64))
    assert network.training and all(parameter.device.type == "cpu" for parameter in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


def test_a_network_without_memory_costs_the_same():
    with shapes_only():
        empty = StackedCells(DARTS, 8, 5, num_cells=3)
    assert count_costs(empty, (64, 64)) == count_costs(StackedCells(DARTS, 8, 5, num_cells=3), (64, 64))
