from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgem_core.backbones.gemnet import GEMNet, LeanBlock
from nasgem_core.backbones.gemnet_modules import GEMNetBlock, PlainGEMNet
from nasgem_core.backbones.layout import CIFAR
from nasgem_core.backbones.skeleton import ACTIVATIONS
from nasgem_core.cells.cell import Cell
from nasgem_core.networks.cell_block import CellBlock, graph_of
from tests.backbones.cells import INVERTED_RESIDUAL, PARALLEL, SMALL
from tests.cells.graphs import cells

DIAMOND = Cell(
    np.array([[0, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 1], [0] * 5, [0] * 5]),
    ("input", "conv1x1", "dwconv3x3", "conv3x3", "conv1x1"),
)
"""0 -> 1, 2; 1, 2 -> 3; 2 -> 4: leaves 3 and 4."""


@pytest.mark.parametrize("kind", [GEMNetBlock, LeanBlock])
def test_leaves_are_linear_and_inner_vertices_are_not(kind):
    block = kind(*graph_of(DIAMOND), in_channels=8, channels=16, reduce=False, residual=False, activate=True)
    assert [vertex.linear for vertex in block.vertices] == [False, False, True, True]
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
    shape = {"in_channels": 32, "channels": 16, "reduce": False}
    block = kind(*graph_of(DIAMOND), **shape, residual=True, activate=activate).eval()
    images = torch.randn(2, 32, 5, 6)
    with torch.no_grad():
        hidden = [block.vertices[0](images), block.vertices[1](images)]
        leaves = torch.cat([block.vertices[2](*hidden), block.vertices[3](hidden[1])], dim=1)
        expected = images + leaves
        assert torch.equal(block(images), expected.clamp(min=0) if activate else expected)


@pytest.mark.parametrize("kind", [GEMNetBlock, LeanBlock])
def test_a_first_block_without_activation_is_linear_too(kind):
    shape = {"in_channels": 8, "channels": 16, "reduce": False}
    block = kind(*graph_of(INVERTED_RESIDUAL), **shape, residual=False, activate=False)
    last = []
    block.vertices[-1].register_forward_hook(lambda module, inputs, output: last.append(output))
    result = block(torch.randn(4, 8, 5, 5))
    assert torch.equal(result, last[0]) and result.min() < 0


class FormerBlock(CellBlock):
    """The block as it was before the place of the ReLU was a parameter, frozen here as an oracle."""

    def __init__(self, layers, edges, *, residual, activate, **shape):
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


@given(cell=cells(), activation=st.sampled_from(ACTIVATIONS))
@settings(max_examples=15)
def test_the_trained_gemnet_of_any_cell_computes_what_the_plain_one_does(cell, activation):
    layout, channels = replace(SMALL, skeleton=replace(SMALL.skeleton, activation=activation)), (16, 8, 24)
    ours = GEMNet(cell, layout, channels, 4)
    plain = PlainGEMNet(*graph_of(cell), channels=channels, **layout.numbers(cell), num_classes=4)
    assert list(plain.state_dict()) == list(ours.state_dict())
    plain.load_state_dict(ours.state_dict())
    images = torch.randn(2, 3, 17, 17, generator=torch.Generator().manual_seed(0))
    logits, expected = ours(images), plain(images)
    assert torch.equal(logits, expected)
    for mine, theirs in zip(
        torch.autograd.grad(logits.square().sum(), list(ours.parameters())),
        torch.autograd.grad(expected.square().sum(), list(plain.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5 * theirs.abs().max().item())
