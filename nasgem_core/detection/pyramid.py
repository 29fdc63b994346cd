"""A feature pyramid on the maps of any backbone (Lin et al. 2017a)."""

from torch import Tensor, nn
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock

from nasgem_core.backbones.backbone import Backbone
from nasgem_core.errors import ParameterError


class PyramidBackbone(nn.Module):
    """A backbone whose maps all get the same number of channels, coarse maps added to fine ones.

    Args:
        backbone: it loses its classifier, which a detector has no use for.
        strides: of the maps to take, finest first.
        channels: of every map of the pyramid.
        coarser: makes further, coarser maps of them.

    Raises:
        ParameterError: the backbone has no map of one of the strides.
    """

    def __init__(self, backbone: Backbone, strides: tuple[int, ...], channels: int, coarser: ExtraFPNBlock) -> None:
        super().__init__()
        known = [info.stride for info in backbone.feature_info]
        for stride in strides:
            if stride not in known:
                raise ParameterError(
                    f"{type(backbone).__name__} has maps of the strides {', '.join(map(str, known))}, a detector needs "
                    f"{', '.join(map(str, strides))}: build the network in its layout for large images"
                )
        if "classifier" in backbone._modules:
            del backbone.classifier
        self.levels = tuple(known.index(stride) for stride in strides)
        self.body = backbone
        widths = [backbone.feature_info[level].channels for level in self.levels]
        self.fpn = FeaturePyramidNetwork(widths, channels, coarser)
        self.out_channels = channels
        """Read by torchvision's detectors."""

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the maps [B, channels, H / stride, W / stride] of normalised images [B, 3, H, W], finest first."""
        maps = self.body.forward_features(images)
        return self.fpn({str(i): maps[level] for i, level in enumerate(self.levels)})


def freeze_normalisation(module: nn.Module) -> None:
    """Make all batch normalisation in the module use its running statistics, and train none of it.

    `nn.Module.train` would switch it back: call this again after it.
    """
    for layer in module.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.eval()
            layer.requires_grad_(False)


def backbone_weights(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of a trained network that its feature maps depend on: all but the classifier's."""
    return {name: value for name, value in weights.items() if not name.startswith("classifier.")}
