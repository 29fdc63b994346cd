"""The network that a cell is judged by, in plain modules (paper, sections 3.2 and 4).

A 3x3 stem, one copy of the cell per stage, global average pooling and a dense layer. In a cell, vertex 0 passes its
input on (in the first stage) or halves it by a 2x2 max-pool (in later ones); every other vertex is one
Conv-BN-ReLU triplet over the channel concatenation of its predecessors; the output is the concatenation of all leaves.
Exported files hold the source of this class, so it uses torch and `nasgem_core.networks.cell_block` alone.
"""

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from nasgem_core.networks.cell_block import CellBlock, ConvBN


class ProxyNetwork(nn.Module):
    """A 3x3 stem, one copy of the cell per stage, global average pooling and a dense layer.

    Args:
        layers: builds the layer of each vertex after vertex 0, from (input channels, output channels).
        edges: pairs (u, v), u below v, in ascending order.
        width: channels of the stem, and of a vertex where the multiplier is 1.
        stages: width multiplier of each stage.
        stem_stride: stride of the stem.
        num_classes: length of the logits.
    """

    def __init__(
        self,
        layers: Sequence[Callable[[int, int], nn.Module]],
        edges: Sequence[Sequence[int]],
        *,
        width: int,
        stages: Sequence[int],
        stem_stride: int,
        num_classes: int,
    ) -> None:
        super().__init__()
        self.stem = ConvBN(nn.Conv2d(3, width, 3, stride=stem_stride, padding=1, bias=False), width)
        self.stages = nn.Sequential()
        channels = width
        for number, multiplier in enumerate(stages):
            stage = CellBlock(layers, edges, in_channels=channels, channels=width * multiplier, reduce=number > 0)
            self.stages.append(stage)
            channels = stage.out_channels
        self.head = nn.Linear(channels, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images [B, 3, H, W] to logits [B, num_classes]."""
        return self.head(self.stages(self.stem(images)).mean(dim=(2, 3)))
