"""The proxy network of a cell: the exported form of `nasgem_core.networks.cell_network`, with the same keys."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nasgem_core.deployment.standalone.layers import ConvBN, build_operation


class Stage(nn.Module):
    """One copy of the cell: vertex 0 is the input (halved by a max-pool if `reduce`), the others are operations."""

    def __init__(
        self, operations: Sequence[str], edges: Sequence[Sequence[int]], in_channels: int, width: int, reduce: bool
    ) -> None:
        super().__init__()
        self.predecessors = [[u for u, v in edges if v == vertex] for vertex in range(len(operations))]
        self.leaves = sorted(set(range(len(operations))) - {u for u, _ in edges})
        self.reduce = reduce
        channels = [in_channels] + [width] * (len(operations) - 1)
        self.vertices = nn.ModuleList(
            ConvBN(build_operation(name, sum(channels[u] for u in self.predecessors[vertex]), width), width)
            for vertex, name in enumerate(operations[1:], start=1)
        )
        self.out_channels = width * len(self.leaves)

    def forward(self, inputs: Tensor) -> Tensor:
        """Each vertex reads the concatenation of its predecessors; the output is that of the leaves."""
        tensors = [nn.functional.max_pool2d(inputs, 2) if self.reduce else inputs]
        for vertex, triplet in enumerate(self.vertices, start=1):
            tensors.append(triplet(torch.cat([tensors[u] for u in self.predecessors[vertex]], dim=1)))
        return torch.cat([tensors[leaf] for leaf in self.leaves], dim=1)


class CellNetwork(nn.Module):
    """A 3x3 stem, one copy of the cell a stage, global average pooling and a dense layer."""

    def __init__(
        self,
        operations: Sequence[str],
        edges: Sequence[Sequence[int]],
        width: int,
        stages: Sequence[int],
        stem_stride: int,
        num_classes: int,
    ) -> None:
        super().__init__()
        self.stem = ConvBN(nn.Conv2d(3, width, 3, stride=stem_stride, padding=1, bias=False), width)
        built: list[Stage] = []
        for multiplier in stages:
            channels = built[-1].out_channels if built else width
            built.append(Stage(operations, edges, channels, width * multiplier, reduce=bool(built)))
        self.stages = nn.Sequential(*built)
        self.head = nn.Linear(built[-1].out_channels, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images [B, 3, H, W] to logits [B, num_classes]."""
        return self.head(self.stages(self.stem(images)).mean(dim=(2, 3)))
