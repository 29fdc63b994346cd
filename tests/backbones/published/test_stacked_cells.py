import pytest
import torch
from torch import nn

from nasgem_core.backbones.published.genotypes import BAYESNAS, DARTS, NAONET, Genotype, read_cell
from nasgem_core.backbones.published.stacked_cells import (
    BAYESNAS_STYLE,
    DARTS_STYLE,
    NAO_STYLE,
    SearchedCell,
    StackedCells,
)
from nasgem_core.backbones.shapes import shapes_only
from nasgem_core.errors import ParameterError

NETWORKS = {"darts": (DARTS, DARTS_STYLE), "naonet": (NAONET, NAO_STYLE), "bayesnas": (BAYESNAS, BAYESNAS_STYLE)}
POOLS = Genotype(read_cell("skip:0 max3:1 | avg3:2 skip:0"), read_cell("max3:0 max3:1"))


def params_of(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_a_cell_worked_out_by_hand():
    cell = SearchedCell(
        read_cell("skip:0 max3:1 | avg3:2 skip:0", (3, 2)), DARTS_STYLE, (3, 5), 4, reduce=False, reduced_before=False
    )
    older, newer = torch.randn(2, 3, 6, 6), torch.randn(2, 5, 6, 6)
    cell.eval()
    zero, one = cell.aligned[0](older), cell.aligned[1](newer)
    two = zero + nn.functional.max_pool2d(one, 3, 1, 1)
    three = nn.functional.avg_pool2d(two, 3, 1, 1, count_include_pad=False) + zero
    assert torch.equal(cell(older, newer), torch.cat([three, two], dim=1))
    assert cell.out_channels == 8


def test_params_of_a_network_worked_out_by_hand():
    width, last = 8, 32
    network = StackedCells(POOLS, width, 10, num_cells=3)
    stem = 27 * 4 + 2 * 4 + 9 * 4 * 8 + 2 * 8 + 9 * 8 * 8 + 2 * 8
    # Inputs and width of the normal cell, the first and the second reduction cell, of which no operation has weights.
    cells = [(8, 8, 8), (8, 16, 16), (16, 16, 32)]
    aligned = sum((older + newer) * inner + 4 * inner for older, newer, inner in cells)
    assert params_of(network) == stem + aligned + last * 10 + 10


@pytest.mark.parametrize("name", NETWORKS)
def test_every_parameter_gets_a_gradient(name):
    torch.manual_seed(0)
    genotype, style = NETWORKS[name]
    network = StackedCells(genotype, 8, 5, style, num_cells=4)
    nn.functional.cross_entropy(network(torch.randn(4, 3, 64, 64)), torch.tensor([0, 1, 2, 3])).backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.any(), parameter_name


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [(64, 64), (50, 77), (32, 32), (9, 1)])
def test_maps_are_as_announced(name, size):
    genotype, style = NETWORKS[name]
    network = StackedCells(genotype, 8, 5, style, num_cells=5).eval()
    images = torch.randn(2, 3, *size)
    maps = network.forward_features(images)
    assert [info.stride for info in network.feature_info] == [2, 4, 8, 16, 32]
    for tensor, info in zip(maps, network.feature_info, strict=True):
        assert tensor.shape == (2, info.channels, *(-(-side // info.stride) for side in size))
    assert network(images).shape == (2, 5)


@pytest.mark.parametrize(("stride", "strides"), [(16, [1, 2, 4, 8, 16]), (8, [1, 2, 4, 8])])
def test_fewer_halvings_have_the_same_weights(stride, strides):
    published = StackedCells(DARTS, 8, 5, num_cells=3)
    network = StackedCells(DARTS, 8, 5, num_cells=3, stride=stride)
    network.load_state_dict(published.state_dict())
    assert [info.stride for info in network.feature_info] == strides
    for tensor, info in zip(
        network.eval().forward_features(torch.randn(1, 3, 32, 32)), network.feature_info, strict=True
    ):
        assert tensor.shape == (1, info.channels, 32 // info.stride, 32 // info.stride)


def test_reduction_cells_stand_at_thirds_and_double_the_channels():
    with shapes_only():
        network = StackedCells(DARTS, 48, 1000)
    assert [cell.out_channels for cell in network.cells] == [192] * 4 + [384] * 5 + [768] * 5


def test_nao_takes_an_input_that_fits_as_it_is():
    network = StackedCells(NAONET, 8, 5, NAO_STYLE, num_cells=3)
    assert isinstance(network.cells[0].aligned[1], nn.Identity)
    assert not isinstance(network.cells[0].aligned[0], nn.Identity)


def test_an_unknown_stride_is_refused():
    with pytest.raises(ParameterError, match=r"stride = 64"):
        StackedCells(DARTS, 8, 5, num_cells=3, stride=64)
