"""Every known operation, and one from outside the tree, through all that is done with an operation."""

import logging

import numpy as np
import pytest
import torch
from fvcore.nn import FlopCountAnalysis
from safetensors.torch import save_file

from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.deployment.latency import Setting, TimedNetwork, measure_latency
from nasgem_core.deployment.proxy_spec import ProxySpec
from nasgem_core.deployment.sources import source_of
from nasgem_core.networks.cell_network import CellNetwork
from nasgem_core.networks.complexity import cell_costs
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.operations.registry import OPERATIONS
from tests.deployment.networks import LAYOUT, card, images, loaded, trained
from tests.operations.own import GATED

NAMES = (*OPERATIONS.names(), GATED.name)
PROXY = NetworkLayout(width=4, stages=(1, 2), stem_stride=1, image_size=9)

pytestmark = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(autouse=True)
def known(monkeypatch):
    """Make the operation from outside known for a test."""
    monkeypatch.setattr(OPERATIONS, "_added", {})
    OPERATIONS.add(GATED.name, GATED)


def cell_of(name):
    """Return a cell whose vertices of that operation read the input, one vertex, and two: 1 -> 2, 1 and 2 -> 3."""
    adjacency = np.zeros((5, 5), dtype=np.uint8)
    for u, v in ((0, 1), (1, 2), (1, 3), (2, 3), (0, 4), (2, 4)):
        adjacency[u, v] = 1
    return Cell(adjacency, ("input", name, name, name, "conv1x1"))


def counted(network, size):
    """Return multiply-adds and parameters of a network as fvcore and torch count them."""
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    analysis = FlopCountAnalysis(network, torch.zeros(1, 3, *size)).unsupported_ops_warnings(False)
    by_kind = analysis.uncalled_modules_warnings(False).by_operator()
    return by_kind["conv"] + by_kind["linear"], sum(parameter.numel() for parameter in network.parameters())


def slopes(outputs, network):
    return torch.autograd.grad(outputs.square().sum(), list(network.parameters()))


@pytest.mark.parametrize("channels", [(4, 4), (12, 4), (4, 8)])
def test_costs_are_those_of_the_layer(name, channels):
    layer, operation = OPERATIONS.get(name).layer(*channels), OPERATIONS.get(name)
    maps = torch.zeros(1, channels[0], 5, 7)
    assert layer(maps).shape == (1, channels[1], 5, 7)
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    analysis = FlopCountAnalysis(layer, maps).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    assert 35 * operation.macs_per_pixel(*channels) == analysis.by_operator()["conv"]
    assert operation.params(*channels) == sum(p.numel() for p in layer.parameters()) + 2 * channels[1]
    both = np.array([channels, (4, 4)]).T
    assert operation.macs_per_pixel(*both).tolist() == [operation.macs_per_pixel(*c) for c in (channels, (4, 4))]
    assert operation.params(*both).tolist() == [operation.params(*c) for c in (channels, (4, 4))]


def test_costs_of_proxy_networks(name):
    cell = cell_of(name)
    costs = cell_costs(CellBatch.from_cells([cell]), PROXY, num_classes=3)
    assert (costs.macs[0], costs.params[0]) == counted(ProxySpec(cell, PROXY, 3).build().eval(), (9, 9))


def test_proxy_networks_learn_with_kernels_and_modules(name):
    torch.manual_seed(0)
    cell = cell_of(name)
    network, pictures = CellNetwork(cell, PROXY, 3).double(), torch.randn(4, 3, 9, 9, dtype=torch.float64)
    assert (network._trunk is not None) == (name != GATED.name)
    logits, expected = network(pictures), network.forward_modules(pictures)
    torch.testing.assert_close(logits, expected)
    for ours, plain in zip(slopes(logits, network), slopes(expected, network), strict=True):
        assert plain.abs().max() > 0
        torch.testing.assert_close(ours, plain, rtol=1e-6, atol=1e-9)


def test_gemnet_meets_a_budget_and_learns(name):
    spec = fit_to_budget("g", cell_of(name), LAYOUT, num_classes=3, image_size=(32, 32), macs=3_000_000)
    network = spec.build()
    macs, _ = counted(network.eval(), (32, 32))
    assert 2_900_000 < macs <= 3_000_000  # where multiples of 8 allow no more, 1 % below is not reached
    outputs = network.train()(torch.randn(4, 3, 32, 32))
    assert all(gradient.isfinite().all() and gradient.abs().max() > 0 for gradient in slopes(outputs, network))


@pytest.mark.parametrize("kind", ["proxy", "gemnet"])
def test_exported_files_hold_the_operation(name, kind, tmp_path):
    cell = cell_of(name)
    proxy = ProxySpec(cell, PROXY, 3)
    spec = (
        proxy
        if kind == "proxy"
        else fit_to_budget("g", cell, LAYOUT, num_classes=3, image_size=(32, 32), macs=3_000_000)
    )
    network = trained(spec)
    text = source_of(card(spec), spec, network)
    layer = OPERATIONS.get(name).layer.__name__
    assert 'LAYERS = {\n    "conv1x1": conv1x1,\n' in text and f'"{name}": {layer},' in text
    assert not [other for other in NAMES if f'"{other}": ' in text and other not in cell.operations]
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    rebuilt = loaded(text, tmp_path).build()
    with torch.no_grad():
        assert torch.equal(rebuilt(images(spec)), network(images(spec)))


def test_latency_is_measured(name):
    proxy = ProxySpec(cell_of(name), PROXY, 3)
    (latency,) = measure_latency([TimedNetwork(proxy.name, proxy.build(), proxy.image_size)], Setting(repeats=2))
    assert latency.median_ms > 0


def test_isomorphic_cells_have_one_key(name):
    cell, order = cell_of(name), [0, 1, 2, 4, 3]
    other = Cell(cell.adjacency[np.ix_(order, order)], tuple(cell.operations[v] for v in order))
    assert other.operations != cell.operations or name == "conv1x1"
    assert other.canonical_key == cell.canonical_key
    another = "skip" if name != "skip" else "conv3x3"
    assert cell_of(another).canonical_key != cell.canonical_key
