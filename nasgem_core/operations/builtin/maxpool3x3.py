"""3x3 max-pooling, with a 1x1 convolution behind it where the vertex has another number of channels."""

import numpy as np
from torch import nn

from nasgem_core.operations.operation import Operation


def maxpool3x3(in_channels: int, out_channels: int) -> nn.Module:
    """Return a 3x3 max-pooling of stride 1; it has no parameters unless it changes the number of channels."""
    pool = nn.MaxPool2d(3, stride=1, padding=1)
    if in_channels == out_channels:
        return pool
    layer = nn.Sequential()
    layer.pool = pool
    layer.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)
    return layer


OPERATION = Operation(
    "maxpool3x3",
    macs_per_pixel=lambda c_in, c_out: (c_in != c_out) * c_in * c_out,
    params=lambda c_in, c_out: (c_in != c_out) * c_in * c_out + 2 * c_out,
    layer=maxpool3x3,
    # The pool also gives the position of each maximum, as an integer of 8 bytes: two channels.
    peak_channels=lambda c_in, c_out: np.maximum(3 * c_in, (c_in != c_out) * (c_in + c_out)),
    colour="#bcbddc",
    marker="p",
)
