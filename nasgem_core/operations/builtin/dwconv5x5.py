"""Depthwise-separable convolution with a 5x5 kernel."""

from torch import nn

from nasgem_core.operations.operation import Operation


def dwconv5x5(in_channels: int, out_channels: int) -> nn.Module:
    """Return a 5x5 depthwise convolution, then a 1x1 (pointwise) convolution, with nothing in between."""
    layer = nn.Sequential()
    layer.depthwise = nn.Conv2d(in_channels, in_channels, 5, padding=2, groups=in_channels, bias=False)
    layer.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)
    return layer


OPERATION = Operation(
    "dwconv5x5",
    macs_per_pixel=lambda c_in, c_out: 25 * c_in + c_in * c_out,
    params=lambda c_in, c_out: 25 * c_in + c_in * c_out + 2 * c_out,
    layer=dwconv5x5,
    peak_channels=lambda c_in, c_out: c_in + c_out,
    colour="#e6550d",
    marker="8",
)
