"""From a cell to a trainable network (paper, sections 3.2 and 4).

A 3x3 stem, one copy of the cell a stage, global average pooling and a dense layer. In a cell, vertex 0 passes its
input on (in the first stage) or halves it by a 2x2 max-pool (in later ones); every other vertex is one
Conv-BN-ReLU triplet over the channel concatenation of its predecessors; the output is the concatenation of all leaves.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from nasgem_core.cells.cell import Cell
from nasgem_core.networks.columns import fused_operation
from nasgem_core.networks.fused import FusedStage, FusedTrunk, Triplet
from nasgem_core.networks.layout import IMAGE_CHANNELS, STEM_KERNEL, NetworkLayout
from nasgem_core.networks.operations import build_operation


class ConvBNReLU(nn.Module):
    """One triplet: a convolution-like layer, batch normalisation and ReLU, each exactly once."""

    def __init__(self, layer: nn.Module, out_channels: int) -> None:
        super().__init__()
        self.layer = layer
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [B, in_channels, H, W] to [B, out_channels, H', W']."""
        return torch.relu(self.norm(self.layer(inputs)))


class Stage(nn.Module):
    """One copy of the cell.

    Args:
        cell: the graph.
        in_channels: channels of the stage's input; vertex 0 keeps them.
        width: channels of every other vertex.
        reduce: whether vertex 0 is a 2x2 max-pool with stride 2 (an odd last row or column is dropped).
    """

    def __init__(self, cell: Cell, in_channels: int, width: int, *, reduce: bool) -> None:
        super().__init__()
        self.predecessors = [cell.predecessors(vertex) for vertex in range(cell.num_vertices)]
        self.leaves = cell.leaves
        self.operations = cell.operations
        self.reduce = reduce
        self.channels = (in_channels, *[width] * (cell.num_vertices - 1))
        self.vertices = nn.ModuleList(
            ConvBNReLU(build_operation(name, sum(self.channels[u] for u in self.predecessors[vertex]), width), width)
            for vertex, name in enumerate(cell.operations[1:], start=1)
        )
        self.out_channels = width * len(cell.leaves)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [B, in_channels, H, W] to [B, out_channels, H, W], or half of that height and width."""
        tensors = [nn.functional.max_pool2d(inputs, 2) if self.reduce else inputs]
        for vertex, triplet in enumerate(self.vertices, start=1):
            tensors.append(triplet(_concatenate([tensors[u] for u in self.predecessors[vertex]])))
        return _concatenate([tensors[leaf] for leaf in self.leaves])


def _concatenate(tensors: list[Tensor]) -> Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors, dim=1)


class CellNetwork(nn.Module):
    """A network of one cell a stage; maps images [B, 3, H, W] to logits [B, num_classes].

    Args:
        cell: the graph that every stage is built from.
        layout: widths and resolutions.
        num_classes: length of the logits.
    """

    def __init__(self, cell: Cell, layout: NetworkLayout, num_classes: int) -> None:
        super().__init__()
        self.cell = cell
        self.layout = layout
        convolution = nn.Conv2d(
            IMAGE_CHANNELS, layout.width, STEM_KERNEL, stride=layout.stem_stride, padding=1, bias=False
        )
        self.stem = ConvBNReLU(convolution, layout.width)
        stages: list[Stage] = []
        for width in layout.widths:
            channels = stages[-1].out_channels if stages else layout.width
            stages.append(Stage(cell, channels, width, reduce=bool(stages)))
        self.stages = nn.Sequential(*stages)
        self.head = nn.Linear(stages[-1].out_channels, num_classes)
        self._trunk = self._fused_trunk()

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits [B, num_classes] of normalised images [B, 3, H, W]."""
        if self._trunk is not None and self._trunk.serves(images):
            return self.head(self._trunk(images))
        return self.forward_modules(images)

    def forward_modules(self, images: Tensor) -> Tensor:
        """Return the same logits by the plain modules: on a GPU, and where a user's own operation takes part."""
        return self.head(self.stages(self.stem(images)).mean(dim=(2, 3)))

    def _fused_trunk(self) -> FusedTrunk | None:
        """Return the CPU form of stem and stages on the same parameters, or None where an operation has none."""
        stem = _fused_triplet(self.stem, range(IMAGE_CHANNELS), 0)
        stages = [
            _fused_stage(stage, size)
            for stage, size in zip(self.stages, self.layout.resolutions, strict=True)
            if isinstance(stage, Stage)
        ]
        complete = [stage for stage in stages if stage is not None]
        return FusedTrunk(stem, complete) if stem is not None and len(complete) == len(stages) else None


def _fused_triplet(triplet: ConvBNReLU, rows: Sequence[int], first: int) -> Triplet | None:
    operation = fused_operation(triplet.layer, rows)
    return Triplet(operation, triplet.norm, first, first + triplet.norm.num_features) if operation else None


def _fused_stage(stage: Stage, size: int) -> FusedStage | None:
    """Give each vertex its rows in the stage's buffer: vertex 0, the inner vertices in order, the leaves in order."""
    inner = [vertex for vertex in range(len(stage.channels)) if vertex not in stage.leaves]
    starts, channels = {}, 0
    for vertex in [*inner, *stage.leaves]:
        starts[vertex] = channels
        channels += stage.channels[vertex]
    triplets = []
    for vertex, triplet in enumerate(stage.vertices, start=1):
        rows = [starts[u] + c for u in stage.predecessors[vertex] for c in range(stage.channels[u])]
        fused = _fused_triplet(cast(ConvBNReLU, triplet), rows, starts[vertex])
        if fused is None:
            return None
        triplets.append(fused)
    return FusedStage(triplets, stage.channels[0], channels, starts[stage.leaves[0]], size, stage.reduce)
