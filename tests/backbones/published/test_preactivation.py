import pytest
import torch
from torch import nn

from nasgem_core.backbones.published.preactivation import align, build_operation
from nasgem_core.errors import ParameterError

CHANNELS = 6
SQUARE = CHANNELS * CHANNELS


@pytest.mark.parametrize("name", ["skip", "sep3", "sep5", "max3", "avg3"])
@pytest.mark.parametrize("size", [(8, 8), (7, 5), (1, 1)])
def test_shapes_at_both_strides(name, size):
    images = torch.randn(2, CHANNELS, *size)
    assert build_operation(name, CHANNELS, 1).eval()(images).shape == images.shape
    halved = (2, CHANNELS, *((side + 1) // 2 for side in size))
    assert build_operation(name, CHANNELS, 2).eval()(images).shape == halved


@pytest.mark.parametrize(
    ("layer", "params"),
    [
        (build_operation("sep3", CHANNELS, 1), 2 * (9 * CHANNELS + SQUARE + 2 * CHANNELS)),
        (build_operation("sep5", CHANNELS, 2), 2 * (25 * CHANNELS + SQUARE + 2 * CHANNELS)),
        (build_operation("skip", CHANNELS, 1), 0),
        (build_operation("skip", CHANNELS, 2), SQUARE + 2 * CHANNELS),
        (align(4, CHANNELS, 1), 4 * CHANNELS + 2 * 4),
        (align(4, CHANNELS, 2), 4 * 4 + 4 * CHANNELS + 2 * 4),
    ],
)
def test_params_worked_out_by_hand(layer, params):
    assert sum(parameter.numel() for parameter in layer.parameters()) == params


@pytest.mark.parametrize("layer", [build_operation("sep3", CHANNELS, 1), align(CHANNELS, 4, 1)])
def test_normalisation_comes_first(layer):
    assert isinstance(layer[0], nn.BatchNorm2d)
    assert isinstance(layer[-1], nn.Conv2d)


def test_pools_see_zeros_beyond_the_border():
    images = -torch.ones(1, 1, 4, 4)
    highest, mean = build_operation("max3", 1, 1)(images)[0, 0], build_operation("avg3", 1, 1)(images)[0, 0]
    assert (highest[0, 0], highest[1, 1]) == (0, -1)
    assert (mean[0, 0], mean[1, 1]) == (pytest.approx(-4 / 9), -1)


def test_an_unknown_operation_is_refused():
    with pytest.raises(ParameterError, match=r"operation 'dil3' is unknown: choose one of skip, sep3"):
        build_operation("dil3", 4, 1)
