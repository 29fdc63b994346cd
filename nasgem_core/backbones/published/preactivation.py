"""Operations of BayesNAS: batch normalisation, ReLU, convolution, in this order (Zhou et al. 2019, their code).

Shapes are as in `operations.py`. Pools pad with zeros that count.
"""

from torch import nn

from nasgem_core.backbones.published.operations import Builder, build_named, depthwise_separable


def align(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Return the layer that gives an input of a cell the cell's channels and, with stride 2, half the resolution."""
    halving = [nn.Conv2d(in_channels, in_channels, 1, stride=2, bias=False)] if stride == 2 else []
    projection = nn.Conv2d(in_channels, out_channels, 1, bias=False)
    return nn.Sequential(*halving, nn.BatchNorm2d(in_channels), nn.ReLU(), projection)


def build_operation(name: str, channels: int, stride: int) -> nn.Module:
    """Return the layer of an operation; raises `ParameterError` if the name is unknown."""
    return build_named(_BUILDERS, name, channels, stride)


def _separable(kernel: int) -> Builder:
    def build(channels: int, stride: int) -> nn.Module:
        layers: list[nn.Module] = []
        for step in (stride, 1):
            layers += [nn.BatchNorm2d(channels), nn.ReLU(), *depthwise_separable(channels, channels, kernel, step)]
        return nn.Sequential(*layers)

    return build


def _skip(channels: int, stride: int) -> nn.Module:
    if stride == 1:
        return nn.Identity()
    return nn.Sequential(nn.BatchNorm2d(channels), nn.Conv2d(channels, channels, 1, stride=stride, bias=False))


_BUILDERS: dict[str, Builder] = {
    "skip": _skip,
    "sep3": _separable(3),
    "sep5": _separable(5),
    "max3": lambda channels, stride: nn.Sequential(nn.ZeroPad2d(1), nn.MaxPool2d(3, stride)),
    "avg3": lambda channels, stride: nn.AvgPool2d(3, stride, padding=1),
}
