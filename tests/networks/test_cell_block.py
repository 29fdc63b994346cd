import numpy as np
import pytest
import torch

from nasgem_core.cells.cell import Cell
from nasgem_core.errors import CellError
from nasgem_core.networks.cell_block import CellBlock, ConvBN, graph_of
from nasgem_core.operations.registry import OPERATIONS, register_tabular

DIAMOND = Cell(
    np.array([[0, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 1], [0] * 5, [0] * 5]),
    ("input", "conv1x1", "dwconv3x3", "conv3x3", "conv1x1"),
)
"""0 -> 1, 2; 1, 2 -> 3; 2 -> 4: leaves 3 and 4."""


def test_graph_and_channels_are_those_of_the_cell():
    block = CellBlock(*graph_of(DIAMOND), in_channels=8, channels=16, reduce=False)
    assert block.predecessors == [list(DIAMOND.predecessors(vertex)) for vertex in range(5)]
    assert tuple(block.leaves) == DIAMOND.leaves == (3, 4)
    assert block.channels == [8, 16, 16, 16, 16] and block.out_channels == 32
    assert [vertex.layer.in_channels for vertex in (block.vertices[0], block.vertices[2])] == [8, 32]


def test_each_vertex_reads_its_predecessors_and_leaves_are_joined():
    block = CellBlock(*graph_of(DIAMOND), in_channels=8, channels=16, reduce=False).eval()
    images = torch.randn(2, 8, 5, 6)
    with torch.no_grad():
        hidden = [block.vertices[0](images), block.vertices[1](images)]
        leaves = torch.cat([block.vertices[2](torch.cat(hidden, dim=1)), block.vertices[3](hidden[1])], dim=1)
        assert torch.equal(block(images), leaves) and leaves.min() == 0


def test_max_pool_feeds_the_vertices_of_a_reducing_block():
    reducing = CellBlock(*graph_of(DIAMOND), in_channels=8, channels=16, reduce=True).eval()
    keeping = CellBlock(*graph_of(DIAMOND), in_channels=8, channels=16, reduce=False).eval()
    keeping.load_state_dict(reducing.state_dict())
    images = torch.randn(2, 8, 7, 10)
    pooled = torch.stack([images[:, :, i:6:2, j:10:2] for i in range(2) for j in range(2)]).amax(dim=0)
    with torch.no_grad():
        assert torch.equal(reducing(images), keeping(pooled))


@pytest.mark.parametrize("linear", [True, False])
def test_triplet_is_convolution_normalisation_activation(linear):
    triplet = ConvBN(OPERATIONS.get("conv1x1").layer(6, 4), 4, None if linear else torch.relu_)
    images = torch.randn(3, 6, 4, 4)
    expected = triplet.layer(images)
    expected = (expected - expected.mean((0, 2, 3), keepdim=True)) / (
        expected.var((0, 2, 3), correction=0, keepdim=True) + 1e-5
    ).sqrt()
    expected = expected if linear else expected.clamp(min=0)
    torch.testing.assert_close(triplet(images[:, :4], images[:, 4:]), expected)


def test_state_dict_holds_plain_modules():
    names = set(CellBlock(*graph_of(DIAMOND), in_channels=8, channels=16, reduce=True).state_dict())
    assert {"vertices.0.layer.weight", "vertices.0.norm.weight", "vertices.1.layer.depthwise.weight"} <= names
    assert len(names) == 4 * 5 + 5


def test_operations_of_measured_tables_make_no_network():
    register_tabular("some_table_conv")
    cell = Cell(np.array([[0, 1], [0, 0]]), ("input", "some_table_conv"))
    with pytest.raises(CellError, match="unknown operation 'some_table_conv'"):
        graph_of(cell)
