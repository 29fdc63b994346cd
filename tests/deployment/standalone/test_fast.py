import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import nn

from nasgem_core.backbones.layout import GEMNetLayout
from nasgem_core.backbones.skeleton import Skeleton
from nasgem_core.backbones.spec import GEMNetSpec, ScaledSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.deployment.standalone.fast import convolutions_to_join, fast
from nasgem_core.operations.registry import OPERATIONS
from tests.backbones.cells import skeletons
from tests.cells.graphs import cells
from tests.deployment.networks import gemnet_spec, images, proxy_spec, trained

SKELETON = Skeleton("small", scales=(1.0, 1.0), repeats=(1, 2), head_channels=8)
SMALL = GEMNetLayout("small", 2, (False, True), SKELETON)
NAMES = ("conv1x1", "conv3x3", "dwconv3x3", "dwconv5x5", "maxpool3x3", "skip")


def small(cell):
    return GEMNetSpec("small", 3, (8, 8), cell, SMALL, 8.0)


def parallel(*operations, behind=()):
    """Return a cell of operations that read the input, and of some that read all of them."""
    first, last = range(1, 1 + len(operations)), range(1 + len(operations), 1 + len(operations) + len(behind))
    adjacency = np.zeros((1 + len(operations) + len(behind),) * 2, np.uint8)
    for vertex in first:
        adjacency[0, vertex] = 1
        for other in last:
            adjacency[vertex, other] = 1
    return Cell(adjacency, ("input", *operations, *behind))


def convolutions(network):
    return [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]


def called(network, function):
    return [node for node in network.graph.nodes if node.target is function]


def assert_equal(network, spec):
    """Assert that the fast form gives the network's outputs in float64 and float32; return it in float32."""
    state = copy.deepcopy(network.state_dict())
    batch = images(spec)
    with torch.no_grad():
        expected = network(batch)
        torch.testing.assert_close(fast(network)(batch), expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
        exact, batch = copy.deepcopy(network).double(), batch.double()
        for grouped in (True, False):
            found = fast(exact, grouped=grouped)(batch)
            torch.testing.assert_close(found, exact(batch), rtol=1e-10, atol=1e-10)
    assert all(torch.equal(tensor, state[name]) for name, tensor in network.state_dict().items())
    return fast(network)


@given(cells(max_vertices=7, names=NAMES))
@settings(max_examples=25, deadline=None)
def test_networks_of_random_cells_stay_equal(cell):
    spec = small(cell)
    network = trained(spec)
    quick = assert_equal(network, spec)
    assert len(convolutions(quick)) <= len(convolutions(network))
    assert not [
        layer for layer in network.modules() if isinstance(layer, nn.Dropout | nn.Identity) and layer in quick.modules()
    ]


@given(cells(max_vertices=6, names=NAMES), skeletons())
@settings(max_examples=15, deadline=None)
def test_blocks_of_any_kind_stay_equal(cell, skeleton):
    layout = replace(SMALL, skeleton=replace(skeleton, scales=SKELETON.scales, repeats=SKELETON.repeats))
    spec = replace(small(cell), layout=layout)
    assert_equal(trained(spec), spec)


@pytest.mark.parametrize("operation", NAMES)
def test_each_operation_side_by_side_stays_equal(operation):
    assert sorted(NAMES) == sorted(OPERATIONS.names())
    for behind in ((), ("conv1x1",), (operation, operation)):
        spec = small(parallel(*[operation] * 3, "conv1x1", behind=behind))
        assert_equal(trained(spec), spec)


def test_the_block_of_mobilenet_becomes_three_convolutions():
    spec = replace(gemnet_spec(), cell=parallel(*["conv1x1"] * 6, behind=("dwconv3x3",)))
    network = assert_equal(trained(spec), spec)
    blocks = sum(spec.layout.skeleton.repeats)
    assert len(convolutions(network)) == 2 + 3 * blocks  # the stem and the head too
    assert not called(network, torch.cat) and not called(network, torch.narrow)
    shapes = [(layer.kernel_size[0], layer.out_channels, layer.groups) for layer in convolutions(network)]
    assert {(1, 48, 1), (3, 48, 48), (1, 8, 1)} < set(shapes)


def test_depthwise_convolutions_of_one_input_become_one_and_a_grouped_one():
    spec = replace(gemnet_spec(), cell=parallel(*["dwconv3x3"] * 4))
    network = assert_equal(trained(spec), spec)
    assert len(convolutions(network)) == 2 + 2 * sum(spec.layout.skeleton.repeats)
    assert {layer.groups for layer in convolutions(network) if layer.kernel_size == (1, 1)} == {1, 4}


def test_depthwise_convolutions_stay_apart_on_request_and_others_are_joined():
    spec = replace(gemnet_spec(), cell=parallel("conv1x1", "conv1x1", "dwconv3x3", "dwconv3x3", behind=("dwconv3x3",)))
    network = fast(trained(spec), grouped=False)
    assert len(convolutions(network)) == 2 + (1 + 2 * 3) * sum(spec.layout.skeleton.repeats)
    assert {layer.groups for layer in convolutions(network) if layer.kernel_size == (1, 1)} == {1}


def test_there_are_as_many_convolutions_as_planned():
    spec = small(parallel("conv1x1", "conv3x3", "conv1x1", "conv3x3", "conv1x1", behind=("conv1x1", "conv1x1")))
    network = trained(spec)
    with torch.no_grad():
        traced = torch.fx.GraphModule(network, torch.fx.Tracer().trace(network))
    for node in list(traced.graph.nodes):
        if isinstance(network.get_submodule(str(node.target)) if node.op == "call_module" else None, nn.BatchNorm2d):
            node.replace_all_uses_with(node.args[0])
    groups = convolutions_to_join(traced.graph)
    blocks = sum(spec.layout.skeleton.repeats)
    assert sorted(len(group) for group in groups) == sorted([3, 2] * blocks)
    quick = assert_equal(network, spec)
    assert len(convolutions(quick)) == len(convolutions(network)) - sum(len(group) - 1 for group in groups) - blocks
    assert len(called(quick, torch.cat)) == blocks  # of what 1x1 and 3x3 convolutions give


def test_normalisation_is_folded_in_networks_of_other_kinds():
    for spec in (proxy_spec(), ScaledSpec("m", 3, (32, 32), "mobilenet_v2", 0.25, 8)):
        network = assert_equal(trained(spec), spec)
        assert not any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())


def test_layers_that_are_called_twice_and_gates_stay_equal():
    class Gated(nn.Module):
        def __init__(self):
            super().__init__()
            self.wide = nn.ModuleList(nn.Conv2d(3, 4, 1) for _ in range(4))
            self.twice, self.norm = nn.Conv2d(16, 16, 1), nn.BatchNorm2d(16)
            self.squeeze, self.gate = nn.Conv2d(16, 4, 1), nn.Conv2d(4, 16, 1)

        def forward(self, x):
            a, b, c, d = (layer(x) for layer in self.wide)
            x = torch.cat([torch.relu(a), b, torch.relu_(c), d], 1)
            x = self.norm(self.twice(x)) + self.twice(x)
            scale = self.gate(nn.functional.relu(self.squeeze(x.mean((2, 3), keepdim=True))))
            x = nn.functional.hardswish(x * torch.sigmoid(scale))
            return x.flatten(1), torch.cat([x, x], 1)

    network = Gated().double().eval()
    batch = torch.randn(2, 3, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        network.norm.running_mean += 0.5
        for found, expected in zip(fast(network)(batch), network(batch), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
