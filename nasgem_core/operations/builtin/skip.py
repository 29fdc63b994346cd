"""What a vertex reads, as it is, or through a 1x1 convolution where the vertex has another number of channels."""

from torch import nn

from nasgem_core.operations.operation import Operation


def skip(in_channels: int, out_channels: int) -> nn.Module:
    """Return the identity, or a 1x1 convolution where the number of channels changes."""
    return nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1, bias=False)


OPERATION = Operation(
    "skip",
    macs_per_pixel=lambda c_in, c_out: (c_in != c_out) * c_in * c_out,
    params=lambda c_in, c_out: (c_in != c_out) * c_in * c_out + 2 * c_out,
    layer=skip,
    peak_channels=lambda c_in, c_out: (c_in != c_out) * c_out,
    colour="#d9d9d9",
    marker="v",
)
