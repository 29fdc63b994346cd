import numpy as np
import pytest
import torch
from hypothesis import given, settings

from nasgem_core.backbones.gemnet import GEMNet, LeanBlock
from nasgem_core.backbones.gemnet_modules import GEMNetBlock, PlainGEMNet
from nasgem_core.cells.cell import Cell
from nasgem_core.networks.cell_block import graph_of
from tests.backbones.cells import SMALL
from tests.cells.graphs import cells

DIAMOND = Cell(
    np.array([[0, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 1], [0] * 5, [0] * 5]),
    ("input", "conv1x1", "dwconv3x3", "conv3x3", "conv1x1"),
)
"""0 -> 1, 2; 1, 2 -> 3; 2 -> 4: leaves 3 and 4."""


@pytest.mark.parametrize("kind", [GEMNetBlock, LeanBlock])
def test_leaves_are_linear_and_inner_vertices_are_not(kind):
    block = kind(*graph_of(DIAMOND), in_channels=8, channels=16, reduce=False, residual=False)
    assert [vertex.linear for vertex in block.vertices] == [False, False, True, True]
    outputs = []
    for vertex in block.vertices:
        vertex.register_forward_hook(lambda module, inputs, output: outputs.append(output.min().item()))
    result = block(torch.randn(4, 8, 5, 5))
    assert result.shape == (4, 32, 5, 5) and block.out_channels == 32
    assert outputs[0] == outputs[1] == 0 and max(outputs[2:]) < 0
    assert result.min() == 0


@pytest.mark.parametrize("kind", [GEMNetBlock, LeanBlock])
def test_residual_block_adds_its_input_before_the_activation(kind):
    block = kind(*graph_of(DIAMOND), in_channels=32, channels=16, reduce=False, residual=True).eval()
    images = torch.randn(2, 32, 5, 6)
    with torch.no_grad():
        hidden = [block.vertices[0](images), block.vertices[1](images)]
        leaves = torch.cat([block.vertices[2](*hidden), block.vertices[3](hidden[1])], dim=1)
        assert torch.equal(block(images), (images + leaves).clamp(min=0))


@given(cell=cells())
@settings(max_examples=10)
def test_the_trained_gemnet_of_any_cell_computes_what_the_plain_one_does(cell):
    channels = (16, 8, 24)
    ours = GEMNet(cell, SMALL, channels, 4)
    plain = PlainGEMNet(*graph_of(cell), channels=channels, **SMALL.numbers(), num_classes=4)
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
