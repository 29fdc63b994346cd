"""1x1 convolution."""

from torch import nn

from nasgem_core.operations.operation import Operation


def conv1x1(in_channels: int, out_channels: int) -> nn.Module:
    """Return a 1x1 convolution."""
    return nn.Conv2d(in_channels, out_channels, 1, bias=False)


OPERATION = Operation(
    "conv1x1",
    macs_per_pixel=lambda c_in, c_out: c_in * c_out,
    params=lambda c_in, c_out: c_in * c_out + 2 * c_out,
    layer=conv1x1,
    colour="#9ecae1",
    marker="o",
)
