import pytest
import torch

from nasgem_core.backbones.published.operations import FactorizedReduce, align, build_operation
from nasgem_core.errors import ParameterError

CHANNELS = 6
SQUARE = CHANNELS * CHANNELS
PARAMS = {
    "skip": 0,
    "sep3": 2 * (9 * CHANNELS + SQUARE + 2 * CHANNELS),
    "sep5": 2 * (25 * CHANNELS + SQUARE + 2 * CHANNELS),
    "dil3": 9 * CHANNELS + SQUARE + 2 * CHANNELS,
    "dil5": 25 * CHANNELS + SQUARE + 2 * CHANNELS,
    "conv1": SQUARE + 2 * CHANNELS,
    "conv3": 9 * SQUARE + 2 * CHANNELS,
    "conv1x3": 2 * (3 * SQUARE + 2 * CHANNELS),
    "conv1x7": 2 * (7 * SQUARE + 2 * CHANNELS),
    **dict.fromkeys(("max2", "max3", "avg2", "avg3", "avg5"), 0),
}


@pytest.mark.parametrize("name", PARAMS)
@pytest.mark.parametrize("size", [(8, 8), (7, 5), (1, 2), (1, 1)])
def test_shapes_at_both_strides(name, size):
    images = torch.randn(2, CHANNELS, *size)
    assert build_operation(name, CHANNELS, 1).eval()(images).shape == images.shape
    halved = (2, CHANNELS, *((side + 1) // 2 for side in size))
    assert build_operation(name, CHANNELS, 2).eval()(images).shape == halved


@pytest.mark.parametrize(("name", "params"), PARAMS.items())
def test_params_worked_out_by_hand(name, params):
    assert sum(parameter.numel() for parameter in build_operation(name, CHANNELS, 1).parameters()) == params


def test_convolutions_see_as_far_as_their_kernels():
    # A single pixel that is set reaches just the pixels within the kernel, dilated or applied twice.
    reach = {"sep3": 2, "sep5": 4, "dil3": 2, "dil5": 4, "conv1": 0, "conv3": 1}
    images = torch.zeros(1, CHANNELS, 15, 15)
    images[:, :, 7, 7] = 1
    for name, distance in reach.items():
        layer = build_operation(name, CHANNELS, 1).eval()
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.fill_(1)
            moved = (layer(images) - layer(torch.zeros_like(images))).abs().sum(dim=(0, 1))
        rows = torch.nonzero(moved.sum(dim=1) > 1e-6)
        assert (rows.min(), rows.max()) == (7 - distance, 7 + distance), name


def test_averages_leave_out_what_is_beyond_the_border():
    images = torch.ones(1, 1, 5, 5)
    for name in ("avg3", "avg5"):
        assert torch.equal(build_operation(name, 1, 1)(images), images)


def test_factorized_reduce_takes_every_second_pixel_and_those_between():
    layer = FactorizedReduce(3, 4).eval()
    images = torch.randn(2, 3, 6, 4)
    active = images.clamp(min=0)
    first, second = (convolution.weight[:, :, 0, 0] for convolution in layer.convolutions)
    expected = torch.cat(
        [
            torch.einsum("oc,bchw->bohw", first, active[:, :, ::2, ::2]),
            torch.einsum("oc,bchw->bohw", second, active[:, :, 1::2, 1::2]),
        ],
        dim=1,
    )
    assert torch.allclose(layer(images), expected / (1 + layer.norm.eps) ** 0.5, atol=1e-6)


def test_align_changes_channels_and_halves_where_it_must():
    images = torch.randn(2, 3, 6, 6)
    assert align(3, 8, 1).eval()(images).shape == (2, 8, 6, 6)
    assert align(3, 8, 2).eval()(images).shape == (2, 8, 3, 3)


def test_an_unknown_operation_is_refused():
    with pytest.raises(ParameterError, match=r"operation 'sep7' is unknown: choose one of skip, sep3"):
        build_operation("sep7", 4, 1)
