import pytest
import torch.nn.functional
from torch import nn

from nasgem_core.deployment.cell_source import cell_source
from nasgem_core.errors import DataError
from nasgem_core.networks.cell_block import CellBlock, ConvBN, concatenate
from nasgem_core.networks.proxy_network import ProxyNetwork
from nasgem_core.operations.operation import Operation
from nasgem_core.operations.registry import OPERATIONS
from tests.deployment.networks import cell
from tests.operations.own import GATED

PADDING = 1
pad = torch.nn.functional.pad


def with_constant(in_channels, out_channels):
    return nn.Conv2d(in_channels, out_channels, 3, padding=PADDING)


def with_import(in_channels, out_channels):
    import numpy

    return nn.Conv2d(in_channels, out_channels, int(numpy.ones(1)))


def with_function(in_channels, out_channels):
    return nn.Conv2d(in_channels, out_channels, 1) if pad is None else nn.Identity()


def readable(in_channels, out_channels):
    """Use builtins, names of its own and torch."""
    wide = max(in_channels, out_channels)
    return nn.Sequential(nn.Conv2d(in_channels, wide, 1), *[nn.Conv2d(wide, out_channels, 1) for _ in range(1)])


def source_with(monkeypatch, layer):
    monkeypatch.setattr(OPERATIONS, "_added", {})
    OPERATIONS.add("own", Operation("own", macs_per_pixel=max, params=max, layer=layer))
    return cell_source(cell("conv1x1", "own", "own", "skip"))


def test_a_cell_brings_its_graph_and_just_the_layers_of_its_operations():
    source = cell_source(cell("conv1x1", "skip", "conv1x1", "skip"))
    assert source.data["OPERATIONS"] == ["input", "conv1x1", "skip", "conv1x1", "skip"]
    layers = [OPERATIONS.get(name).layer for name in ("conv1x1", "skip")]
    table = 'LAYERS = {\n    "conv1x1": conv1x1,\n    "skip": skip,\n}\n'
    assert source.definitions == (*layers, table, concatenate, ConvBN, CellBlock)
    expected = "ProxyNetwork(\n    [LAYERS[name] for name in OPERATIONS[1:]],\n    EDGES,\n    width=WIDTH,\n)"
    assert source.construct(ProxyNetwork, {"width": "WIDTH"}, indent=0) == expected


@pytest.mark.parametrize("layer", [GATED.layer, readable])
def test_layers_of_torch_alone_are_copied(layer, monkeypatch):
    assert layer in source_with(monkeypatch, layer).definitions


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (lambda c_in, c_out: nn.Identity(), "is not a function or class of a module"),
        (with_constant, "uses 'PADDING', which is not torch's"),
        (with_import, "uses 'numpy', which is not torch's"),
        (with_function, "uses 'pad', which is not torch's"),
        (nn.Conv2d, "uses"),
    ],
)
def test_other_layers_are_refused(layer, reason, monkeypatch):
    with pytest.raises(DataError, match=f"the layer of operation 'own' {reason}"):
        source_with(monkeypatch, layer)


def test_layers_that_were_typed_in_are_refused(monkeypatch):
    namespace = {"__name__": "__main__", "nn": nn}
    exec("def typed(c_in, c_out): return nn.Conv2d(c_in, c_out, 1)", namespace)
    with pytest.raises(DataError, match="has no source that can be read"):
        source_with(monkeypatch, namespace["typed"])
