"""MobileNetV2 and MnasNet of torchvision as backbones."""

from torch import Tensor, nn

from nasgem_core.backbones.backbone import Backbone, FeatureInfo
from nasgem_core.backbones.published.strides import STRIDE, early_strides, last_of_each

DROPOUT = 0.2
"""Before the classifier, as in torchvision."""
_MOMENTUM = 0.1
"""Momentum of running statistics, as in all other networks here. torchvision's MnasNet has .0003, with which the
statistics of the first images still matter after thousands of steps."""


class LayeredBackbone(Backbone):
    """A sequence of layers, global average pooling, dropout, a dense layer.

    Args:
        layers: all layers up to the pooling.
        ends: indices of the last layer before each halving and of the last layer.
        channels: channels of the outputs of these.
        strides: strides of the outputs of these; of two with the same stride, the later one is a map.
        num_classes: length of the logits.
    """

    def __init__(
        self,
        layers: nn.Sequential,
        ends: tuple[int, ...],
        channels: tuple[int, ...],
        strides: tuple[int, ...],
        num_classes: int,
    ) -> None:
        super().__init__()
        self.layers = layers
        self.dropout = nn.Dropout(DROPOUT)
        self.classifier = nn.Linear(channels[-1], num_classes)
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)
        kept = last_of_each(strides)
        self._ends = frozenset(ends[i] for i in kept)
        self.feature_info = tuple(FeatureInfo(channels[i], strides[i]) for i in kept)

    def forward_features(self, images: Tensor) -> list[Tensor]:
        """Return the last map of each resolution, finest first."""
        maps, tensor = [], images
        for i, layer in enumerate(self.layers):
            tensor = layer(tensor)
            if i in self._ends:
                maps.append(tensor)
        return maps

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits [B, num_classes] of normalised images [B, 3, H, W]."""
        return self.classifier(self.dropout(self.forward_features(images)[-1].mean(dim=(2, 3))))


def mobilenet_v2(width: float, num_classes: int, stride: int = STRIDE) -> LayeredBackbone:
    """Return MobileNetV2 (Sandler et al. 2018) with a width multiplier; its last map is the output of the head."""
    from torchvision.models import MobileNetV2  # here, because it takes seconds and most stages build none

    layers = MobileNetV2(width_mult=width).features
    ends = (1, 3, 6, 13, 18)
    channels = tuple(layers[i].out_channels for i in ends)
    return _with_strides(layers, ends, channels, num_classes, stride)


def mnasnet(width: float, num_classes: int, stride: int = STRIDE) -> LayeredBackbone:
    """Return MnasNet-B1 (Tan et al. 2019) with a width multiplier; its last map is the output of the head."""
    from torchvision.models import MNASNet

    layers = MNASNet(width).layers
    for layer in layers.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = _MOMENTUM
    ends = (7, 8, 9, 11, 16)
    channels = tuple(_convolutions(layers[: end + 1])[-1].out_channels for end in ends)
    return _with_strides(layers, ends, channels, num_classes, stride)


def _with_strides(
    layers: nn.Sequential, ends: tuple[int, ...], channels: tuple[int, ...], num_classes: int, stride: int
) -> LayeredBackbone:
    """Return the network with its first two strides set for `stride`; raises `ParameterError` for an unknown one."""
    first, second = early_strides(stride)
    halving = [convolution for convolution in _convolutions(layers) if convolution.stride == (2, 2)]
    for convolution, step in zip(halving, (first, second), strict=False):
        convolution.stride = (step, step)
    strides = (first, first * second, stride // 4, stride // 2, stride)
    return LayeredBackbone(layers, ends, channels, strides, num_classes)


def _convolutions(layers: nn.Module) -> list[nn.Conv2d]:
    return [module for module in layers.modules() if isinstance(module, nn.Conv2d)]
