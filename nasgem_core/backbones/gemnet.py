"""GEMNet: the network for transfer that a found cell is built into (paper, section 4; layout as in AutoShrink)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nasgem_core.backbones.backbone import Backbone, FeatureInfo
from nasgem_core.backbones.cell_block import CellBlock, ConvBN
from nasgem_core.backbones.layout import GEMNetLayout, check_channels
from nasgem_core.cells.cell import Cell
from nasgem_core.networks.layout import IMAGE_CHANNELS, STEM_KERNEL


class GEMNet(Backbone):
    """A stem, stages of repeated cells, a 1x1 convolution as head, global average pooling and a dense layer.

    The first cell of a stage changes channels and, where the layout says so, halves the resolution; the later ones
    keep the shape and are residual. See `CellBlock` for what is linear in a cell.

    Args:
        cell: the graph that every stage repeats.
        layout: scales, repeats and halvings.
        channels: channels of the stem and of a vertex in each stage, each a multiple of 8.
        num_classes: length of the logits.

    Raises:
        ParameterError: the channels do not go with the layout, or there is no class.
    """

    def __init__(self, cell: Cell, layout: GEMNetLayout, channels: Sequence[int], num_classes: int) -> None:
        super().__init__()
        stem_channels, *widths = check_channels(layout, channels)
        stem = nn.Conv2d(IMAGE_CHANNELS, stem_channels, STEM_KERNEL, stride=layout.stem_stride, padding=1, bias=False)
        self.stem = ConvBN(stem, stem_channels)
        stages, in_channels = [], stem_channels
        for width, repeats, reduce in zip(widths, layout.repeats, layout.reduces, strict=True):
            blocks = [CellBlock(cell, in_channels, width, reduce=reduce, residual=False)]
            in_channels = blocks[0].out_channels
            blocks += [CellBlock(cell, in_channels, width, reduce=False, residual=True) for _ in range(repeats - 1)]
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.head = ConvBN(nn.Conv2d(in_channels, layout.head_channels, 1, bias=False), layout.head_channels)
        self.classifier = nn.Linear(layout.head_channels, num_classes)
        self._feature_stages = layout.feature_stages
        maps = [widths[stage] * len(cell.leaves) for stage in self._feature_stages]
        strides = [layout.strides[stage] for stage in self._feature_stages]
        self.feature_info = tuple(map(FeatureInfo, [*maps[:-1], layout.head_channels], strides))
        self._initialise()

    def forward_features(self, images: Tensor) -> list[Tensor]:
        """Return the output of the last stage of each resolution, finest first, and of the head for the coarsest."""
        outputs, tensor = [], self.stem(images)
        for stage in self.stages:
            tensor = stage(tensor)
            outputs.append(tensor)
        return [*(outputs[stage] for stage in self._feature_stages[:-1]), self.head(tensor)]

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits [B, num_classes] of normalised images [B, 3, H, W]."""
        return self.classifier(self.forward_features(images)[-1].mean(dim=(2, 3)))

    def _initialise(self) -> None:
        """Draw convolutions by He's rule over their inputs, a depthwise one with 9, and a small classifier."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        with torch.no_grad():
            nn.init.normal_(self.classifier.weight, std=0.01)
            nn.init.zeros_(self.classifier.bias)
