"""3x3 convolution."""

from torch import nn

from nasgem_core.operations.operation import Operation


def conv3x3(in_channels: int, out_channels: int) -> nn.Module:
    """Return a 3x3 convolution."""
    return nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)


OPERATION = Operation(
    "conv3x3",
    macs_per_pixel=lambda c_in, c_out: 9 * c_in * c_out,
    params=lambda c_in, c_out: 9 * c_in * c_out + 2 * c_out,
    layer=conv3x3,
    colour="#a1d99b",
    marker="h",
)
