"""A feature pyramid on the maps of any backbone (Lin et al. 2017a)."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock

from nasgem_core.backbones.backbone import Backbone
from nasgem_core.errors import DataError, ParameterError

_PROBE = 64
"""Side of the image that is used to find the layers that the maps depend on."""


class PyramidBackbone(nn.Module):
    """A backbone with a feature pyramid: all maps have the same number of channels, and coarse maps are added to fine.

    Args:
        backbone: the network; its classifier and other layers that no map depends on are removed.
        strides: strides of the maps to use, finest first.
        channels: channels of every map of the pyramid.
        coarser: computes further, coarser maps.
        normalisation: builds the layer after each convolution of the pyramid from its number of channels, if any.

    Raises:
        ParameterError: the backbone has no map of one of the strides.
    """

    def __init__(
        self,
        backbone: Backbone,
        strides: tuple[int, ...],
        channels: int,
        coarser: ExtraFPNBlock,
        normalisation: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        known = [info.stride for info in backbone.feature_info]
        for stride in strides:
            if stride not in known:
                raise ParameterError(
                    f"{type(backbone).__name__} has maps with strides {', '.join(map(str, known))}, but a detector "
                    f"needs {', '.join(map(str, strides))}: build the network in its layout for large images"
                )
        remove_unused(backbone)
        self.levels = tuple(known.index(stride) for stride in strides)
        self.body = backbone
        widths = [backbone.feature_info[level].channels for level in self.levels]
        self.fpn = FeaturePyramidNetwork(widths, channels, coarser, normalisation)
        self.out_channels = channels
        """Read by torchvision's detectors."""

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the maps [B, channels, H / stride, W / stride] of normalised images [B, 3, H, W], finest first."""
        maps = self.body.forward_features(images)
        return self.fpn({str(i): maps[level] for i, level in enumerate(self.levels)})

    def load_backbone(self, weights: Mapping[str, Tensor]) -> None:
        """Load the weights of a trained network of the same kind into the backbone; the classifier is not needed.

        Raises:
            DataError: a weight is missing or has another shape, so the weights belong to another network.
        """
        own = self.body.state_dict()
        for name, value in own.items():
            if name not in weights or weights[name].shape != value.shape:
                found = f"has shape {list(weights[name].shape)}" if name in weights else "is missing"
                raise DataError(
                    f"these are the weights of another network: {name} {found}, and must have shape {list(value.shape)}"
                )
        self.body.load_state_dict({name: weights[name] for name in own})


def freeze_normalisation(module: nn.Module) -> None:
    """Make all batch normalisation in the module use its running statistics, and do not train its parameters.

    `nn.Module.train` reverts this, so call it again after that.
    """
    for layer in module.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.eval()
            layer.requires_grad_(False)


def remove_unused(backbone: Backbone) -> None:
    """Delete the children of a backbone that no feature map depends on, such as its classifier.

    Otherwise they would count as costs of a detector, and processes that train together would wait for their gradients.
    """
    names = [name for name, parameter in backbone.named_parameters() if parameter.requires_grad]
    parameters = [backbone.get_parameter(name) for name in names]
    training = backbone.training
    backbone.eval()
    with torch.enable_grad():
        maps = backbone.forward_features(torch.zeros(1, 3, _PROBE, _PROBE, device=parameters[0].device))
        total = torch.stack([tensor.sum() for tensor in maps]).sum()
    gradients = torch.autograd.grad(total, parameters, allow_unused=True)
    backbone.train(training)
    used = {name.split(".")[0] for name, gradient in zip(names, gradients, strict=True) if gradient is not None}
    for name in {name.split(".")[0] for name in names} - used:
        delattr(backbone, name)
