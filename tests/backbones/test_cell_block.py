import numpy as np
import pytest
import torch

from nasgem_core.backbones.cell_block import CellBlock, ConvBN
from nasgem_core.cells.cell import Cell
from nasgem_core.networks.operations import build_operation

DIAMOND = Cell(
    np.array([[0, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 1], [0] * 5, [0] * 5]),
    ("input", "conv1x1", "dwconv3x3", "conv3x3", "conv1x1"),
)
"""0 -> 1, 2; 1, 2 -> 3; 2 -> 4: leaves 3 and 4."""


def test_leaves_are_linear_and_inner_vertices_are_not():
    block = CellBlock(DIAMOND, 8, 16, reduce=False, residual=False)
    assert [vertex.linear for vertex in block.vertices] == [False, False, True, True]
    outputs = []
    for vertex in block.vertices:
        vertex.register_forward_hook(lambda module, inputs, output: outputs.append(output.min().item()))
    result = block(torch.randn(4, 8, 5, 5))
    assert result.shape == (4, 32, 5, 5) and block.out_channels == 32
    assert outputs[0] == outputs[1] == 0 and max(outputs[2:]) < 0
    assert result.min() == 0


def test_residual_block_adds_its_input_before_the_activation():
    block = CellBlock(DIAMOND, 32, 16, reduce=False, residual=True).eval()
    images = torch.randn(2, 32, 5, 6)
    with torch.no_grad():
        hidden = [block.vertices[0](images), block.vertices[1](images)]
        leaves = torch.cat([block.vertices[2](*hidden), block.vertices[3](hidden[1])], dim=1)
        assert torch.equal(block(images), (images + leaves).clamp(min=0))


def test_max_pool_feeds_the_vertices_of_a_reducing_block():
    reducing = CellBlock(DIAMOND, 8, 16, reduce=True, residual=False).eval()
    keeping = CellBlock(DIAMOND, 8, 16, reduce=False, residual=False).eval()
    keeping.load_state_dict(reducing.state_dict())
    images = torch.randn(2, 8, 7, 10)
    pooled = torch.stack([images[:, :, i:6:2, j:10:2] for i in range(2) for j in range(2)]).amax(dim=0)
    with torch.no_grad():
        assert torch.equal(reducing(images), keeping(pooled))


@pytest.mark.parametrize("linear", [True, False])
def test_triplet_is_convolution_normalisation_activation(linear):
    triplet = ConvBN(build_operation("conv1x1", 6, 4), 4, linear=linear)
    images = torch.randn(3, 6, 4, 4)
    expected = triplet.layer(images)
    expected = (expected - expected.mean((0, 2, 3), keepdim=True)) / (
        expected.var((0, 2, 3), correction=0, keepdim=True) + 1e-5
    ).sqrt()
    expected = expected if linear else expected.clamp(min=0)
    torch.testing.assert_close(triplet(images[:, :4], images[:, 4:]), expected)


def test_state_dict_holds_plain_modules():
    names = set(CellBlock(DIAMOND, 8, 16, reduce=True, residual=False).state_dict())
    assert {"vertices.0.layer.weight", "vertices.0.norm.weight", "vertices.1.layer.depthwise.weight"} <= names
    assert len(names) == 4 * 5 + 5
