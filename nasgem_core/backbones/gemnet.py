"""GEMNet: the network for transfer that a found cell is built into (paper, section 4; layout as in AutoShrink)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nasgem_core.backbones.backbone import Backbone, FeatureInfo
from nasgem_core.backbones.concatenation import apply_to_concatenation, concatenate_normalised
from nasgem_core.backbones.gemnet_modules import GEMNetBlock, PlainGEMNet
from nasgem_core.backbones.layout import GEMNetLayout
from nasgem_core.cells.cell import Cell
from nasgem_core.networks.cell_block import ConvBN, graph_of


class LeanConvBN(ConvBN):
    """A triplet that keeps its inputs alone for the backward pass, not their concatenation."""

    def convolve(self, inputs: Sequence[Tensor]) -> Tensor:
        """Apply the layer to the channel concatenation of the inputs."""
        return apply_to_concatenation(self.layer, inputs)


class LeanBlock(GEMNetBlock):
    """The block as it is trained: the same values and gradients in less memory."""

    triplet = LeanConvBN

    def join(self, leaves: Sequence[Tensor]) -> Tensor:
        """Concatenate the leaves."""
        return concatenate_normalised(leaves)


class GEMNet(PlainGEMNet, Backbone):
    """GEMNet of a cell as it is trained: with He's initialisation, and in less memory than the plain modules.

    Args:
        cell: the graph that every stage repeats.
        layout: skeleton and halvings.
        channels: channels of the stem and of a vertex in each stage, each a multiple that the skeleton allows.
        num_classes: length of the logits.

    Raises:
        ParameterError: the channels do not go with the layout, or there is no class.
        CellError: an operation of the cell has no layer.
    """

    block = LeanBlock

    def __init__(self, cell: Cell, layout: GEMNetLayout, channels: Sequence[int], num_classes: int) -> None:
        _, *widths = layout.skeleton.check_channels(channels)
        super().__init__(*graph_of(cell), channels=channels, **layout.numbers(cell), num_classes=num_classes)
        self._feature_stages = layout.feature_stages
        maps = [widths[stage] * len(cell.leaves) for stage in self._feature_stages]
        strides = [layout.strides[stage] for stage in self._feature_stages]
        self.feature_info = tuple(map(FeatureInfo, [*maps[:-1], layout.skeleton.head_channels], strides))
        self._initialise()

    def forward_features(self, images: Tensor) -> list[Tensor]:
        """Return the output of the last stage of each resolution, finest first, and of the head for the coarsest."""
        outputs = self.forward_stages(images)
        return [*(outputs[stage] for stage in self._feature_stages[:-1]), self.head(outputs[-1])]

    def _initialise(self) -> None:
        """Draw convolutions by He's rule over their inputs, a depthwise one with 9, and a small classifier."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        with torch.no_grad():
            nn.init.normal_(self.classifier.weight, std=0.01)
            nn.init.zeros_(self.classifier.bias)
