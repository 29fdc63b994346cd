"""A feature pyramid on the maps of any backbone (Lin et al. 2017a)."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock

from nasgem_core.backbones.backbone import Backbone
from nasgem_core.errors import DataError, ParameterError

_PROBE = 64
"""Side of the image that shows which layers the maps depend on."""


class PyramidBackbone(nn.Module):
    """A backbone whose maps all get the same number of channels, coarse maps added to fine ones.

    Args:
        backbone: it loses its classifier and what else no map depends on.
        strides: of the maps to take, finest first.
        channels: of every map of the pyramid.
        coarser: makes further, coarser maps of them.
        normalisation: layer for a number of channels that follows each convolution of the pyramid, if any.

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
                    f"{type(backbone).__name__} has maps of the strides {', '.join(map(str, known))}, a detector needs "
                    f"{', '.join(map(str, strides))}: build the network in its layout for large images"
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


def freeze_normalisation(module: nn.Module) -> None:
    """Make all batch normalisation in the module use its running statistics, and train none of it.

    `nn.Module.train` would switch it back: call this again after it.
    """
    for layer in module.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.eval()
            layer.requires_grad_(False)


def remove_unused(backbone: Backbone) -> None:
    """Delete those children of a backbone that none of its feature maps depends on, such as its classifier.

    They would count as costs of a detector, and processes that train it together would wait for their gradients.
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


def load_backbone(pyramid: PyramidBackbone, weights: Mapping[str, Tensor]) -> None:
    """Give the backbone the weights of a trained network of the same kind; those of its classifier are not needed.

    Raises:
        DataError: a weight is missing or of another shape, so they are of another network.
    """
    own = pyramid.body.state_dict()
    for name, value in own.items():
        if name not in weights or weights[name].shape != value.shape:
            found = f"has shape {list(weights[name].shape)}" if name in weights else "is missing"
            raise DataError(
                f"these are the weights of another network: {name} {found}, and must have shape {list(value.shape)}"
            )
    pyramid.body.load_state_dict({name: weights[name] for name in own})
