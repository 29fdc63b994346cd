"""GEMNet in plain modules (paper, section 4; layout as in AutoShrink).

Exported files hold the source of these classes, so they use torch, `nasgem_core.networks.cell_block` and
`nasgem_core.backbones.stochastic_depth` alone.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nasgem_core.backbones.stochastic_depth import StochasticDepth, set_stochastic_depth
from nasgem_core.networks.cell_block import CellBlock, ConvBN


class SqueezeExcitation(nn.Module):
    """Channels weighted by what they are on average over the image (Hu et al. 2018; hard sigmoid as in MobileNetV3).

    Args:
        channels: of the map.
        squeezed: channels between the two layers that give the weights.
    """

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.excite = nn.Conv2d(squeezed, channels, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [B, channels, H, W] to the same shape."""
        means = inputs.mean(dim=(2, 3), keepdim=True)
        return inputs * nn.functional.hardsigmoid(self.excite(torch.relu_(self.squeeze(means))))


class GEMNetBlock(CellBlock):
    """A cell with linear leaves; an activation may follow their concatenation, or its sum with the block's input.

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
        activation: what follows each vertex that is not a leaf, and the block.
        activate: whether it follows the block.
        squeeze: channels of the squeeze-and-excitation's inner layer as a share of the output's; 0 leaves it out.
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
        activation: Callable[[Tensor], Tensor],
        activate: bool,
        squeeze: float,
    ) -> None:
        super().__init__(
            layers,
            edges,
            in_channels=in_channels,
            channels=channels,
            reduce=reduce,
            activation=activation,
            linear_leaves=True,
        )
        self.depth = StochasticDepth() if residual else None
        self.activation = activation if activate else None
        squeezed = max(1, int(squeeze * self.out_channels + 0.5))
        self.weighting = SqueezeExcitation(self.out_channels, squeezed) if squeeze else nn.Identity()

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [B, in_channels, H, W] to [B, out_channels, H, W], or half of that height and width."""
        outputs = self.weighting(super().forward(inputs))
        if self.depth is not None:
            outputs = inputs + self.depth(outputs)
        return outputs if self.activation is None else self.activation(outputs)


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
        activate: whether an activation follows the blocks.
        hard_swish: whether it is hard swish in each stage, and with the last one in the head; otherwise ReLU.
        squeeze: channels inside a block's squeeze-and-excitation as a share of its output's; 0 leaves it out.
        dropout: share of the pooled values that are left out in training.
        stochastic_depth: share of the images whose last residual block is left out in training; earlier ones less.
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
        hard_swish: Sequence[bool],
        squeeze: float,
        dropout: float,
        stochastic_depth: float,
        num_classes: int,
    ) -> None:
        super().__init__()
        incoming = channels[0]
        self.stem = ConvBN(nn.Conv2d(3, incoming, 3, stride=stem_stride, padding=1, bias=False), incoming)
        self.stages = nn.ModuleList()
        activations = [nn.functional.hardswish if hard else torch.relu_ for hard in hard_swish]
        for width, count, reduce, activation in zip(channels[1:], repeats, reduces, activations, strict=True):
            stage = nn.Sequential()
            for i in range(count):
                block = self.block(
                    layers,
                    edges,
                    in_channels=incoming,
                    channels=width,
                    reduce=reduce and i == 0,
                    residual=i > 0,
                    activation=activation,
                    activate=activate,
                    squeeze=squeeze,
                )
                incoming = block.out_channels
                stage.append(block)
            self.stages.append(stage)
        self.head = ConvBN(nn.Conv2d(incoming, head_channels, 1, bias=False), head_channels, activations[-1])
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(head_channels, num_classes)
        set_stochastic_depth(self, stochastic_depth)

    def forward_stages(self, images: Tensor) -> list[Tensor]:
        """Return the output of every stage."""
        outputs = [self.stem(images)]
        for stage in self.stages:
            outputs.append(stage(outputs[-1]))
        return outputs[1:]

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images [B, 3, H, W] to logits [B, num_classes]."""
        pooled = self.head(self.forward_stages(images)[-1]).mean(dim=(2, 3))
        return self.classifier(self.dropout(pooled))


DEFINITIONS: tuple[Any, ...] = (StochasticDepth, set_stochastic_depth, SqueezeExcitation, GEMNetBlock, PlainGEMNet)
"""What an exported file holds of GEMNet, next to what it holds of the cell; each uses those before it."""
