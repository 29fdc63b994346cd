"""What every network for transfer offers: logits for a classifier, feature maps for a detector."""

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class FeatureInfo:
    """One feature map of a backbone.

    Args:
        channels: its channels.
        stride: pixels of the image that one of its pixels stands for, along each side.
    """

    channels: int
    stride: int


class Backbone(nn.Module):
    """A network whose feature maps can be had, so that a detector needs no surgery on it.

    Subclasses set both attributes and give both methods; the classifier can be exchanged for one of other classes.
    """

    feature_info: tuple[FeatureInfo, ...]
    """The maps that `forward_features` returns, finest first, one a resolution."""
    classifier: nn.Linear
    """The last layer."""

    def forward_features(self, images: Tensor) -> list[Tensor]:
        """Return one map [B, channels, H / stride, W / stride] for each entry of `feature_info`."""
        raise TypeError(f"{type(self).__name__} has no feature maps")

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits [B, num_classes] of normalised images [B, 3, H, W]."""
        raise TypeError(f"{type(self).__name__} has no logits")
