"""Depthwise-separable convolution with a 3x3 kernel."""

from torch import nn

from nasgem_core.operations.operation import Operation


def dwconv3x3(in_channels: int, out_channels: int) -> nn.Module:
    """Return a 3x3 depthwise convolution, then a 1x1 (pointwise) convolution, with nothing in between."""
    layer = nn.Sequential()
    layer.depthwise = nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False)
    layer.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)
    return layer


OPERATION = Operation(
    "dwconv3x3",
    macs_per_pixel=lambda c_in, c_out: 9 * c_in + c_in * c_out,
    params=lambda c_in, c_out: 9 * c_in + c_in * c_out + 2 * c_out,
    layer=dwconv3x3,
    peak_channels=lambda c_in, c_out: c_in + c_out,
    colour="#fdae6b",
    marker="s",
)
