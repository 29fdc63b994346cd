from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import nn
from torchvision import ops

from nasgem_core.backbones.gemnet import GEMNet, LeanBlock
from nasgem_core.backbones.gemnet_modules import GEMNetBlock, PlainGEMNet, SqueezeExcitation
from nasgem_core.backbones.layout import CIFAR, named_layout
from nasgem_core.backbones.stochastic_depth import StochasticDepth
from nasgem_core.cells.cell import Cell
from nasgem_core.networks.cell_block import CellBlock, graph_of
from tests.backbones.cells import INVERTED_RESIDUAL, PARALLEL, SMALL, skeletons
from tests.cells.graphs import cells

DIAMOND = Cell(
    np.array([[0, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 1], [0] * 5, [0] * 5]),
    ("input", "conv1x1", "dwconv3x3", "conv3x3", "conv1x1"),
)
"""0 -> 1, 2; 1, 2 -> 3; 2 -> 4: leaves 3 and 4."""


@pytest.mark.parametrize("kind", [GEMNetBlock, LeanBlock])
def test_leaves_are_linear_and_inner_vertices_are_not(kind):
    shape = {"in_channels": 8, "channels": 16, "reduce": False, "residual": False}
    block = kind(*graph_of(DIAMOND), **shape, activation=torch.relu_, activate=True, squeeze=0.0)
    assert [vertex.activation for vertex in block.vertices] == [torch.relu_, torch.relu_, None, None]
    outputs = []
    for vertex in block.vertices:
        vertex.register_forward_hook(lambda module, inputs, output: outputs.append(output.min().item()))
    result = block(torch.randn(4, 8, 5, 5))
    assert result.shape == (4, 32, 5, 5) and block.out_channels == 32
    assert outputs[0] == outputs[1] == 0 and max(outputs[2:]) < 0
    assert result.min() == 0


@pytest.mark.parametrize("kind", [GEMNetBlock, LeanBlock])
@pytest.mark.parametrize("activate", [True, False])
def test_residual_block_adds_its_input_before_the_activation(activate, kind):
    shape = {"in_channels": 32, "channels": 16, "reduce": False, "residual": True}
    block = kind(*graph_of(DIAMOND), **shape, activation=torch.relu_, activate=activate, squeeze=0.0).eval()
    images = torch.randn(2, 32, 5, 6)
    with torch.no_grad():
        hidden = [block.vertices[0](images), block.vertices[1](images)]
        leaves = torch.cat([block.vertices[2](*hidden), block.vertices[3](hidden[1])], dim=1)
        expected = images + leaves
        assert torch.equal(block(images), expected.clamp(min=0) if activate else expected)


@pytest.mark.parametrize("kind", [GEMNetBlock, LeanBlock])
def test_a_first_block_without_activation_is_linear_too(kind):
    shape = {"in_channels": 8, "channels": 16, "reduce": False, "residual": False}
    block = kind(*graph_of(INVERTED_RESIDUAL), **shape, activation=torch.relu_, activate=False, squeeze=0.0)
    last = []
    block.vertices[-1].register_forward_hook(lambda module, inputs, output: last.append(output))
    result = block(torch.randn(4, 8, 5, 5))
    assert torch.equal(result, last[0]) and result.min() < 0


def test_squeeze_and_excitation_is_what_torchvision_has():
    ours = SqueezeExcitation(12, 5)
    theirs = ops.SqueezeExcitation(12, 5, scale_activation=nn.Hardsigmoid)
    names = {"squeeze": "fc1", "excite": "fc2"}
    theirs.load_state_dict(
        {f"{names[name.split('.')[0]]}.{name.split('.')[1]}": value for name, value in ours.state_dict().items()}
    )
    images = torch.randn(3, 12, 5, 7)
    torch.testing.assert_close(ours(images), theirs(images))


@pytest.mark.parametrize("kind", [GEMNetBlock, LeanBlock])
def test_channels_are_weighted_before_the_sum(kind):
    shape = {"in_channels": 32, "channels": 16, "reduce": False, "residual": True}
    block = kind(*graph_of(DIAMOND), **shape, activation=nn.functional.hardswish, activate=True, squeeze=0.25).eval()
    assert block.weighting.squeeze.out_channels == 8
    plain = kind(*graph_of(DIAMOND), **shape, activation=nn.functional.hardswish, activate=False, squeeze=0.0).eval()
    plain.load_state_dict(block.state_dict(), strict=False)
    images = torch.randn(2, 32, 5, 6)
    with torch.no_grad():
        branch = block.weighting(plain(images) - images)
        torch.testing.assert_close(block(images), nn.functional.hardswish(images + branch))


def test_the_last_stages_and_the_head_have_hard_swish():
    layout = named_layout("tiny", "mobile", nonlinearity="hard_swish")
    network = GEMNet(INVERTED_RESIDUAL, layout, (8,) * 6, 4)
    assert network.stem.activation is torch.relu_ and network.head.activation is nn.functional.hardswish
    inner = [{vertex.activation for block in stage for vertex in block.vertices[:-1]} for stage in network.stages]
    assert inner == [{torch.relu_}] * 3 + [{nn.functional.hardswish}] * 2
    assert all(block.vertices[-1].activation is block.activation is None for s in network.stages for block in s)


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_dropout_and_stochastic_depth_are_the_same_in_both_and_in_training_alone(share):
    layout = named_layout("tiny", "mobile", squeeze=0.25, dropout=share, stochastic_depth=share)
    ours = GEMNet(INVERTED_RESIDUAL, layout, (8,) * 6, 4)
    plain = PlainGEMNet(
        *graph_of(INVERTED_RESIDUAL), channels=(8,) * 6, **layout.numbers(INVERTED_RESIDUAL), num_classes=4
    )
    plain.load_state_dict(ours.state_dict())
    images, logits = torch.randn(4, 3, 32, 32), []
    for network in (ours, plain):
        shares = [module.share for module in network.modules() if isinstance(module, StochasticDepth)]
        assert shares == pytest.approx([share * number / 5 for number in range(1, 6)])  # 0, 1, 1, 2, 1 residual blocks
        for seed in (0, 0, 1):
            torch.manual_seed(seed)
            logits.append(network(images))
        assert torch.equal(network.eval()(images), network(images))
    assert torch.equal(logits[0], logits[1]) and torch.equal(logits[0], logits[3])
    assert torch.equal(logits[1], logits[2]) == (not share)


class FormerBlock(CellBlock):
    """The block as it was before the place of the ReLU was a parameter, frozen here as an oracle."""

    def __init__(self, layers, edges, *, residual, activate, squeeze, **shape):
        super().__init__(layers, edges, **shape, linear_leaves=True)
        self.residual = residual

    def forward(self, inputs):
        outputs = super().forward(inputs)
        return torch.relu_(inputs + outputs if self.residual else outputs)


@pytest.mark.parametrize("cell", [DIAMOND, PARALLEL, INVERTED_RESIDUAL], ids=lambda cell: cell.canonical_key[:8])
def test_the_papers_skeleton_is_what_it_was_to_the_bit(cell, monkeypatch):
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))

    def trained_once():
        torch.manual_seed(3)
        network = GEMNet(cell, CIFAR, (8, 8, 8, 16, 8, 8), 4)
        logits = network(images)
        gradients = torch.autograd.grad(logits.square().sum(), list(network.parameters()))
        return network.state_dict(), [logits, *gradients]

    class Former(FormerBlock):
        triplet = LeanBlock.triplet
        join = LeanBlock.join

    state, values = trained_once()
    monkeypatch.setattr(GEMNet, "block", Former)
    former_state, former_values = trained_once()
    assert list(state) == list(former_state)
    assert all(map(torch.equal, [*state.values(), *values], [*former_state.values(), *former_values]))


@given(cell=cells(), skeleton=skeletons())
@settings(max_examples=25)
def test_the_trained_gemnet_of_any_cell_computes_what_the_plain_one_does(cell, skeleton):
    layout, channels = replace(SMALL, skeleton=skeleton), (16, 8, 24)
    ours = GEMNet(cell, layout, channels, 4)
    plain = PlainGEMNet(*graph_of(cell), channels=channels, **layout.numbers(cell), num_classes=4)
    assert list(plain.state_dict()) == list(ours.state_dict())
    plain.load_state_dict(ours.state_dict())
    images = torch.randn(2, 3, 17, 17, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    logits = ours(images)
    torch.manual_seed(0)
    expected = plain(images)
    assert torch.equal(logits, expected)
    found = torch.autograd.grad(logits.square().sum(), list(ours.parameters()))
    wanted = torch.autograd.grad(expected.square().sum(), list(plain.parameters()))
    # In a network of linear cells a later normalisation takes out all that some parameters do.
    largest = max(gradient.abs().max().item() for gradient in wanted)
    for mine, theirs in zip(found, wanted, strict=True):
        atol = 1e-5 * theirs.abs().max().item() + 1e-6 * largest
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=atol)
