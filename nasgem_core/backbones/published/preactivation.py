"""Operations of BayesNAS: batch normalisation first, then ReLU and convolution (Zhou et al. 2019, their code).

Shapes as in `operations.py`. Pools see zeros beyond the border.
"""

from collections.abc import Callable

from torch import nn

from nasgem_core.backbones.published.operations import depthwise_separable
from nasgem_core.errors import ParameterError


def align(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Return what gives an input of a cell the cell's channels and, with stride 2, its resolution."""
    halving = [nn.Conv2d(in_channels, in_channels, 1, stride=2, bias=False)] if stride == 2 else []
    projection = nn.Conv2d(in_channels, out_channels, 1, bias=False)
    return nn.Sequential(*halving, nn.BatchNorm2d(in_channels), nn.ReLU(), projection)


def build_operation(name: str, channels: int, stride: int) -> nn.Module:
    """Return the layer of an operation; raises `ParameterError` where the name is unknown."""
    if name not in _BUILDERS:
        raise ParameterError(f"operation {name!r} is unknown: choose one of {', '.join(_BUILDERS)}")
    return _BUILDERS[name](channels, stride)


def _separable(kernel: int) -> Callable[[int, int], nn.Module]:
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


_BUILDERS: dict[str, Callable[[int, int], nn.Module]] = {
    "skip": _skip,
    "sep3": _separable(3),
    "sep5": _separable(5),
    "max3": lambda channels, stride: nn.Sequential(nn.ZeroPad2d(1), nn.MaxPool2d(3, stride)),
    "avg3": lambda channels, stride: nn.AvgPool2d(3, stride, padding=1),
}
