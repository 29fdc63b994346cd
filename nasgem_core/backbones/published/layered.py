"""Networks that are a sequence of layers, such as the mobile networks of torchvision, as backbones."""

from torch import Tensor, nn

from nasgem_core.backbones.backbone import Backbone, FeatureInfo
from nasgem_core.backbones.published.strides import early_strides, last_of_each

DROPOUT = 0.2
"""Before the classifier, as in torchvision."""


class LayeredBackbone(Backbone):
    """A sequence of layers, global average pooling, hidden dense layers, dropout, a dense layer.

    Args:
        layers: all layers up to the pooling; each of the five convolutions that halve the resolution, the first one
            among them, is in a layer of its own.
        num_classes: length of the logits.
        stride: of the coarsest map: 32, or 16 or 8 for small images, with the first halvings left out.
        hidden: dense layers and activations between pooling and dropout.

    Raises:
        ParameterError: the network cannot have that stride.
    """

    def __init__(
        self, layers: nn.Sequential, num_classes: int, stride: int, hidden: nn.Sequential | None = None
    ) -> None:
        super().__init__()
        halving = [bool(_halving(layer)) for layer in layers]
        ends = [i for i, halves_next in enumerate([*halving[1:], True]) if halves_next]
        first, second = early_strides(stride)
        for convolution, step in zip(_halving(layers), (first, second), strict=False):
            convolution.stride = (step, step)
        strides = (first, first * second, stride // 4, stride // 2, stride)
        channels = [_convolutions(layers[: end + 1])[-1].out_channels for end in ends]
        self.layers = layers
        self.hidden = hidden if hidden is not None else nn.Sequential()
        dense = [layer.out_features for layer in self.hidden if isinstance(layer, nn.Linear)]
        self.dropout = nn.Dropout(DROPOUT)
        self.classifier = nn.Linear([*channels, *dense][-1], num_classes)
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
        pooled = self.forward_features(images)[-1].mean(dim=(2, 3))
        return self.classifier(self.dropout(self.hidden(pooled)))

    def macs(self, image_size: tuple[int, int]) -> int:
        """Return the multiply-adds for an image of that height and width, from the shapes of the weights alone.

        It is what `count_costs` counts by running the network, in a fraction of the time.
        """
        height, width = image_size
        total = sum(layer.weight.numel() for layer in (*self.hidden, self.classifier) if isinstance(layer, nn.Linear))
        for convolution in _convolutions(self.layers):
            pixels = 1
            # One with a bias has no normalisation: it is of a squeeze-and-excitation, on the mean over all pixels.
            if convolution.bias is None:
                height, width = (
                    -(-side // step) for side, step in zip((height, width), convolution.stride, strict=True)
                )
                pixels = height * width
            total += convolution.weight.numel() * pixels
        return total


def _halving(layers: nn.Module) -> list[nn.Conv2d]:
    return [convolution for convolution in _convolutions(layers) if convolution.stride == (2, 2)]


def _convolutions(layers: nn.Module) -> list[nn.Conv2d]:
    return [module for module in layers.modules() if isinstance(module, nn.Conv2d)]
