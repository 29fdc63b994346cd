"""The interface of networks for transfer: logits for a classifier, feature maps for a detector."""

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class FeatureInfo:
    """One feature map of a backbone.

    Args:
        channels: number of channels.
        stride: pixels of the image per pixel of the map, along each side.
    """

    channels: int
    stride: int


class Backbone(nn.Module):
    """A network that also returns its feature maps, so that a detector can use it as it is.

    Subclasses set the attributes and implement both methods. The classifier can be replaced to have other classes.
    """

    feature_info: tuple[FeatureInfo, ...]
    """The maps that `forward_features` returns, finest first, one per resolution."""
    dropout: nn.Dropout
    """Before the last layer."""
    classifier: nn.Linear
    """The last layer."""

    def forward_features(self, images: Tensor) -> list[Tensor]:
        """Return one map [B, channels, H / stride, W / stride] for each entry of `feature_info`."""
        raise TypeError(f"{type(self).__name__} has no feature maps")

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits [B, num_classes] of normalised images [B, 3, H, W]."""
        raise TypeError(f"{type(self).__name__} has no logits")
