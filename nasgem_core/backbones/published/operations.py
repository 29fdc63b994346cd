"""Operations in the cells of DARTS and NAO: ReLU, convolution, batch normalisation, in this order.

Each maps [B, channels, H, W] to the same shape, or with stride 2 to [B, channels, ceil(H / 2), ceil(W / 2)].
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from nasgem_core.errors import ParameterError

Builder = Callable[[int, int], nn.Module]
"""Builds the layer of an operation from (channels, stride)."""


def relu_conv_bn(in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1) -> nn.Sequential:
    """Return ReLU, a convolution, batch normalisation."""
    convolution = nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(nn.ReLU(), convolution, nn.BatchNorm2d(out_channels))


def depthwise_separable(
    in_channels: int, out_channels: int, kernel: int, stride: int, dilation: int = 1
) -> nn.Sequential:
    """Return a depthwise convolution and a 1x1 convolution, with nothing in between."""
    padding = dilation * (kernel // 2)
    depthwise = nn.Conv2d(in_channels, in_channels, kernel, stride, padding, dilation, groups=in_channels, bias=False)
    return nn.Sequential(depthwise, nn.Conv2d(in_channels, out_channels, 1, bias=False))


class FactorizedReduce(nn.Module):
    """Halves the resolution by two 1x1 convolutions with stride 2, the second shifted by one pixel down and right.

    Maps [B, in_channels, H, W] to [B, out_channels, ceil(H / 2), ceil(W / 2)]; out_channels must be even.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(in_channels, out_channels // 2, 1, stride=2, bias=False) for _ in range(2)
        )
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, inputs: Tensor) -> Tensor:
        """Concatenate the outputs of both; the shifted input is padded with zeros at the end."""
        active = self.relu(inputs)
        moved = nn.functional.pad(active, (0, 1, 0, 1))[:, :, 1:, 1:]
        return self.norm(torch.cat([self.convolutions[0](active), self.convolutions[1](moved)], dim=1))


def align(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Return the layer that gives an input of a cell the cell's channels and, with stride 2, half the resolution."""
    return relu_conv_bn(in_channels, out_channels) if stride == 1 else FactorizedReduce(in_channels, out_channels)


def build_named(builders: Mapping[str, Builder], name: str, channels: int, stride: int) -> nn.Module:
    """Return the layer that the builder of that name makes; raises `ParameterError` if there is none."""
    if name not in builders:
        raise ParameterError(f"operation {name!r} is unknown: choose one of {', '.join(builders)}")
    return builders[name](channels, stride)


def build_operation(name: str, channels: int, stride: int) -> nn.Module:
    """Return the layer of an operation; raises `ParameterError` if the name is unknown."""
    return build_named(_BUILDERS, name, channels, stride)


def _separable(kernel: int) -> Builder:
    def build(channels: int, stride: int) -> nn.Module:
        layers: list[nn.Module] = []
        for step in (stride, 1):
            layers += [nn.ReLU(), *depthwise_separable(channels, channels, kernel, step), nn.BatchNorm2d(channels)]
        return nn.Sequential(*layers)

    return build


def _dilated(kernel: int) -> Builder:
    return lambda channels, stride: nn.Sequential(
        nn.ReLU(), *depthwise_separable(channels, channels, kernel, stride, dilation=2), nn.BatchNorm2d(channels)
    )


def _convolution(kernel: int) -> Builder:
    return lambda channels, stride: relu_conv_bn(channels, channels, kernel, stride)


def _row_and_column(length: int) -> Builder:
    def build(channels: int, stride: int) -> nn.Module:
        half = length // 2
        row = nn.Conv2d(channels, channels, (1, length), (1, stride), (0, half), bias=False)
        column = nn.Conv2d(channels, channels, (length, 1), (stride, 1), (half, 0), bias=False)
        return nn.Sequential(nn.ReLU(), row, nn.BatchNorm2d(channels), nn.ReLU(), column, nn.BatchNorm2d(channels))

    return build


def _average_pool(kernel: int) -> Builder:
    return lambda channels, stride: nn.AvgPool2d(kernel, stride, padding=kernel // 2, count_include_pad=False)


def _even_pool(pool: type[nn.MaxPool2d] | type[nn.AvgPool2d]) -> Builder:
    """Return a 2x2 pool; a row and a column of zeros at the end keep the resolution if the stride is 1."""
    return lambda channels, stride: nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), pool(2, stride))


_BUILDERS: dict[str, Builder] = {
    "skip": lambda channels, stride: nn.Identity() if stride == 1 else FactorizedReduce(channels, channels),
    "sep3": _separable(3),
    "sep5": _separable(5),
    "dil3": _dilated(3),
    "dil5": _dilated(5),
    "conv1": _convolution(1),
    "conv3": _convolution(3),
    "conv1x3": _row_and_column(3),
    "conv1x7": _row_and_column(7),
    "max2": _even_pool(nn.MaxPool2d),
    "max3": lambda channels, stride: nn.MaxPool2d(3, stride, padding=1),
    "avg2": _even_pool(nn.AvgPool2d),
    "avg3": _average_pool(3),
    "avg5": _average_pool(5),
}
