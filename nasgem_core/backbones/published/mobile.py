"""The mobile networks of torchvision as backbones, with any width; their last map is the output of the head.

All are built from torchvision's classes and configurations. For small images the first one or two convolutions with
stride 2, the stem's and the next one, get stride 1 in each of them.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from torch import nn

from nasgem_core.backbones.published.layered import LayeredBackbone
from nasgem_core.backbones.published.strides import STRIDE
from nasgem_core.backbones.stochastic_depth import StochasticDepth

MULTIPLE = 8
"""Channels are rounded to multiples of this, as published."""
_MOMENTUM = 0.1
"""Momentum of running statistics, as in all other networks here. torchvision's MnasNet has .0003, with which the
statistics of the first images still matter after thousands of steps, and its MobileNetV3 has .01."""


class Family(Protocol):
    """Builds a network of one kind with fresh weights, drawn from torch's global generator."""

    def __call__(
        self, width: float, num_classes: int, stride: int = STRIDE, multiple: int = MULTIPLE
    ) -> LayeredBackbone:
        """Return the network.

        Args:
            width: multiplier of its channels.
            num_classes: length of the logits.
            stride: of the coarsest map: 32, or 16 or 8 for small images.
            multiple: channels are rounded to multiples of it.

        Raises:
            ParameterError: the network cannot have that stride.
        """


def mobilenet_v2(width: float, num_classes: int, stride: int = STRIDE, multiple: int = MULTIPLE) -> LayeredBackbone:
    """Return MobileNetV2 (Sandler et al. 2018), as `Family` says."""
    from torchvision.models import MobileNetV2  # here, because it takes seconds and most stages build none

    return _backbone(MobileNetV2(width_mult=width, round_nearest=multiple).features, num_classes, stride)


def mobilenet_v3_small(
    width: float, num_classes: int, stride: int = STRIDE, multiple: int = MULTIPLE
) -> LayeredBackbone:
    """Return MobileNetV3-small (Howard et al. 2019), as `Family` says."""
    return _mobilenet_v3("mobilenet_v3_small", width, num_classes, stride, multiple=multiple)


def mobilenet_v3_large(
    width: float, num_classes: int, stride: int = STRIDE, multiple: int = MULTIPLE
) -> LayeredBackbone:
    """Return MobileNetV3-large (Howard et al. 2019), as `Family` says."""
    return _mobilenet_v3("mobilenet_v3_large", width, num_classes, stride, multiple=multiple)


def efficientnet_b0(width: float, num_classes: int, stride: int = STRIDE, multiple: int = MULTIPLE) -> LayeredBackbone:
    """Return EfficientNet-B0 (Tan and Le 2019), as `Family` says."""
    from torchvision.models.efficientnet import EfficientNet, _efficientnet_conf

    stages, last = _efficientnet_conf("efficientnet_b0", width_mult=1.0, depth_mult=1.0)
    for stage in stages:
        _scale(stage, ("input_channels", "out_channels"), width, multiple)
    network = EfficientNet(stages, dropout=0.0, stochastic_depth_prob=0.0, num_classes=1, last_channel=last)
    return _backbone(network.features, num_classes, stride)


def mnasnet(width: float, num_classes: int, stride: int = STRIDE) -> LayeredBackbone:
    """Return MnasNet-B1 (Tan et al. 2019) with a width multiplier."""
    from torchvision.models import MNASNet

    return _backbone(MNASNet(width).layers, num_classes, stride)


SCALABLE: Mapping[str, Family] = {
    "mobilenet_v2": mobilenet_v2,
    "mobilenet_v3_small": mobilenet_v3_small,
    "mobilenet_v3_large": mobilenet_v3_large,
    "efficientnet_b0": efficientnet_b0,
}
"""Networks that are scaled to a budget by their width, by name."""


def _mobilenet_v3(name: str, width: float, num_classes: int, stride: int, *, multiple: int) -> LayeredBackbone:
    from torchvision.models.mobilenetv3 import MobileNetV3, _mobilenet_v3_conf

    blocks, last = _mobilenet_v3_conf(name)
    for block in blocks:
        _scale(block, ("input_channels", "expanded_channels", "out_channels"), width, multiple)
    network = MobileNetV3(blocks, _rounded(last * width, multiple), num_classes=1)
    return _backbone(network.features, num_classes, stride, network.classifier[:2])


def _scale(configuration: Any, names: tuple[str, ...], width: float, multiple: int) -> None:
    """Multiply some numbers of channels of one of torchvision's configurations by the width."""
    for name in names:
        setattr(configuration, name, _rounded(getattr(configuration, name) * width, multiple))


def _rounded(channels: float, multiple: int) -> int:
    from torchvision.models._utils import _make_divisible

    return _make_divisible(channels, multiple)


def _backbone(
    layers: nn.Sequential, num_classes: int, stride: int, hidden: nn.Sequential | None = None
) -> LayeredBackbone:
    for module in list(layers.modules()):
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = _MOMENTUM
        if hasattr(module, "stochastic_depth"):
            module.stochastic_depth = nn.Identity()  # torchvision's own, which ours replaces
        if getattr(module, "use_res_connect", False) or getattr(module, "apply_residual", False):
            branch = next(child for child in module.children() if isinstance(child, nn.Sequential))
            branch.append(StochasticDepth())
    return LayeredBackbone(layers, num_classes, stride, hidden)
