"""GEMNet of a cell: the exported form of `nasgem_core.backbones.gemnet`, with the same keys."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nasgem_core.deployment.standalone.layers import ConvBN, build_operation


class Cell(nn.Module):
    """Vertex 0 is the input (halved if `reduce`), the others are operations; ReLU follows the sum with the leaves."""

    def __init__(
        self,
        operations: Sequence[str],
        edges: Sequence[Sequence[int]],
        in_channels: int,
        channels: int,
        reduce: bool,
        residual: bool,
    ) -> None:
        super().__init__()
        self.predecessors = [[u for u, v in edges if v == vertex] for vertex in range(len(operations))]
        self.leaves = sorted(set(range(len(operations))) - {u for u, _ in edges})
        self.reduce, self.residual = reduce, residual
        widths = [in_channels] + [channels] * (len(operations) - 1)
        self.vertices = nn.ModuleList()
        for vertex, name in enumerate(operations[1:], start=1):
            layer = build_operation(name, sum(widths[u] for u in self.predecessors[vertex]), channels)
            self.vertices.append(ConvBN(layer, channels, linear=vertex in self.leaves))
        self.out_channels = channels * len(self.leaves)

    def forward(self, inputs: Tensor) -> Tensor:
        """Each vertex reads the concatenation of its predecessors; the output is that of the leaves, activated."""
        tensors = [nn.functional.max_pool2d(inputs, 2) if self.reduce else inputs]
        for vertex, triplet in enumerate(self.vertices, start=1):
            tensors.append(triplet(torch.cat([tensors[u] for u in self.predecessors[vertex]], dim=1)))
        outputs = torch.cat([tensors[leaf] for leaf in self.leaves], dim=1)
        return torch.relu(inputs + outputs if self.residual else outputs)


class GEMNet(nn.Module):
    """A 3x3 stem, stages of repeated cells, a 1x1 convolution, global average pooling and a dense layer."""

    def __init__(
        self,
        operations: Sequence[str],
        edges: Sequence[Sequence[int]],
        channels: Sequence[int],
        repeats: Sequence[int],
        reduces: Sequence[bool],
        stem_stride: int,
        head_channels: int,
        num_classes: int,
    ) -> None:
        super().__init__()
        in_channels = channels[0]
        self.stem = ConvBN(nn.Conv2d(3, in_channels, 3, stride=stem_stride, padding=1, bias=False), in_channels)
        self.stages = nn.ModuleList()
        for width, count, reduce in zip(channels[1:], repeats, reduces, strict=True):
            cells: list[nn.Module] = []
            for i in range(count):
                cell = Cell(operations, edges, in_channels, width, reduce and i == 0, residual=i > 0)
                in_channels = cell.out_channels
                cells.append(cell)
            self.stages.append(nn.Sequential(*cells))
        self.head = ConvBN(nn.Conv2d(in_channels, head_channels, 1, bias=False), head_channels)
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


class GEMNetMaps(GEMNet):
    """GEMNet without its classifier: the maps of some stages, and that of the head for the last of them."""

    def __init__(
        self,
        operations: Sequence[str],
        edges: Sequence[Sequence[int]],
        channels: Sequence[int],
        repeats: Sequence[int],
        reduces: Sequence[bool],
        stem_stride: int,
        head_channels: int,
        feature_stages: Sequence[int],
    ) -> None:
        super().__init__(operations, edges, channels, repeats, reduces, stem_stride, head_channels, num_classes=1)
        del self.classifier
        self.feature_stages = feature_stages

    def forward_features(self, images: Tensor) -> list[Tensor]:
        """Map normalised images [B, 3, H, W] to maps, finest first."""
        outputs = self.forward_stages(images)
        return [*(outputs[stage] for stage in self.feature_stages[:-1]), self.head(outputs[-1])]
