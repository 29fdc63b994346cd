"""The layers that networks of cells share: part of the exported Python files of such networks."""

import torch
from torch import Tensor, nn

KNOWN_OPERATIONS = ("conv1x1", "conv3x3", "dwconv3x3")
"""What `build_operation` can build; a user's own operations are not among them."""


class DepthwiseSeparable(nn.Module):
    """3x3 depthwise convolution, then a 1x1 convolution."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [B, in_channels, H, W] to [B, out_channels, H, W]."""
        return self.pointwise(self.depthwise(inputs))


def build_operation(name: str, in_channels: int, out_channels: int) -> nn.Module:
    """Return the layer of an operation."""
    if name == "conv1x1":
        return nn.Conv2d(in_channels, out_channels, 1, bias=False)
    if name == "conv3x3":
        return nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
    if name == "dwconv3x3":
        return DepthwiseSeparable(in_channels, out_channels)
    raise ValueError(f"operation {name!r} is unknown")


class ConvBN(nn.Module):
    """A convolution, batch normalisation and, unless it is linear, ReLU."""

    def __init__(self, layer: nn.Module, channels: int, linear: bool = False) -> None:
        super().__init__()
        self.layer = layer
        self.norm = nn.BatchNorm2d(channels)
        self.linear = linear

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [B, in_channels, H, W] to [B, channels, H', W']."""
        outputs = self.norm(self.layer(inputs))
        return outputs if self.linear else torch.relu(outputs)
