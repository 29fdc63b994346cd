"""GEMNet in plain modules (paper, section 4; layout as in AutoShrink).

Exported files hold the source of these classes, so they use torch and `nasgem_core.networks.cell_block` alone.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from nasgem_core.networks.cell_block import CellBlock, ConvBN


class GEMNetBlock(CellBlock):
    """A cell with linear leaves: a ReLU may follow their concatenation, or the sum of that and the block's input.

    With it, a block that is not residual computes what the cell of the proxy task does, and a cell whose leaves all
    hang on its input still makes a network that is not linear. Without it, what passes from block to block stays
    linear, as in MobileNetV2. (Where the activation follows is not in the paper; our choice.)

    Args:
        layers: builds the layer of each vertex after vertex 0, from (input channels, output channels).
        edges: pairs (u, v), u below v, in ascending order.
        in_channels: channels of the input; vertex 0 keeps them.
        channels: channels of every other vertex.
        reduce: whether vertex 0 is a 2x2 max-pool with stride 2 (an odd last row or column is dropped).
        residual: whether the input is added to the output, which must have its shape.
        activate: whether a ReLU follows.
    """

    def __init__(
        self,
        layers: Sequence[Callable[[int, int], nn.Module]],
        edges: Sequence[Sequence[int]],
        *,
        in_channels: int,
        channels: int,
        reduce: bool,
        residual: bool,
        activate: bool,
    ) -> None:
        super().__init__(layers, edges, in_channels=in_channels, channels=channels, reduce=reduce, linear_leaves=True)
        self.residual = residual
        self.activate = activate

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [B, in_channels, H, W] to [B, out_channels, H, W], or half of that height and width."""
        outputs = super().forward(inputs)
        if self.residual:
            outputs = inputs + outputs
        return torch.relu_(outputs) if self.activate else outputs


class PlainGEMNet(nn.Module):
    """A 3x3 stem, stages of repeated cells, a 1x1 convolution, global average pooling and a dense layer.

    The first cell of a stage changes channels and, where asked to, halves the resolution; the later ones keep the
    shape and are residual.

    Args:
        layers: builds the layer of each vertex after vertex 0, from (input channels, output channels).
        edges: pairs (u, v), u below v, in ascending order.
        channels: channels of the stem, and of a vertex in each stage.
        repeats: cells of each stage.
        reduces: whether each stage halves the resolution.
        stem_stride: stride of the stem.
        head_channels: channels of the 1x1 convolution.
        activate: whether a ReLU follows the blocks.
        num_classes: length of the logits.
    """

    block = GEMNetBlock

    def __init__(
        self,
        layers: Sequence[Callable[[int, int], nn.Module]],
        edges: Sequence[Sequence[int]],
        *,
        channels: Sequence[int],
        repeats: Sequence[int],
        reduces: Sequence[bool],
        stem_stride: int,
        head_channels: int,
        activate: bool,
        num_classes: int,
    ) -> None:
        super().__init__()
        incoming = channels[0]
        self.stem = ConvBN(nn.Conv2d(3, incoming, 3, stride=stem_stride, padding=1, bias=False), incoming)
        self.stages = nn.ModuleList()
        for width, count, reduce in zip(channels[1:], repeats, reduces, strict=True):
            stage = nn.Sequential()
            for i in range(count):
                block = self.block(
                    layers,
                    edges,
                    in_channels=incoming,
                    channels=width,
                    reduce=reduce and i == 0,
                    residual=i > 0,
                    activate=activate,
                )
                incoming = block.out_channels
                stage.append(block)
            self.stages.append(stage)
        self.head = ConvBN(nn.Conv2d(incoming, head_channels, 1, bias=False), head_channels)
        self.classifier = nn.Linear(head_channels, num_classes)

    def forward_stages(self, images: Tensor) -> list[Tensor]:
        """Return the output of every stage."""
        outputs = [self.stem(images)]
        for stage in self.stages:
            outputs.append(stage(outputs[-1]))
        return outputs[1:]

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images [B, 3, H, W] to logits [B, num_classes]."""
        return self.classifier(self.head(self.forward_stages(images)[-1]).mean(dim=(2, 3)))
