"""Depthwise-separable convolution whose 3x3 kernel leaves out every other pixel, and so sees 5x5 of them."""

from torch import nn

from nasgem_core.operations.operation import Operation


def dilated3x3(in_channels: int, out_channels: int) -> nn.Module:
    """Return a dilated 3x3 depthwise convolution, then a 1x1 convolution."""
    return nn.Sequential(
        nn.Conv2d(in_channels, in_channels, 3, padding=2, dilation=2, groups=in_channels, bias=False),
        nn.Conv2d(in_channels, out_channels, 1, bias=False),
    )


OPERATION = Operation(
    "dilated3x3",
    macs_per_pixel=lambda c_in, c_out: 9 * c_in + c_in * c_out,
    params=lambda c_in, c_out: 9 * c_in + c_in * c_out + 2 * c_out,
    layer=dilated3x3,
    colour="#c994c7",
    marker="P",
)
