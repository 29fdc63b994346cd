"""The ImageNet skeleton that searched cells are stacked on (Liu, Simonyan and Yang 2019, section 3.3)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from nasgem_core.backbones.backbone import Backbone, FeatureInfo
from nasgem_core.backbones.published import operations, preactivation
from nasgem_core.backbones.published.genotypes import CellGenotype, Genotype
from nasgem_core.backbones.published.strides import STRIDE, early_strides, last_of_each
from nasgem_core.networks.layout import IMAGE_CHANNELS

NUM_CELLS = 14


@dataclass(frozen=True)
class CellStyle:
    """How a publication builds the parts around and inside its cells.

    Args:
        operation: builds the layer of an operation from (name, channels, stride).
        align: builds the layer that adapts an input to a cell from (its channels, the cell's channels, stride).
        aligns_always: whether inputs that already fit have such a layer too.
        norm_first: whether batch normalisation comes before the convolutions. Then the last convolution of the stem is
            not followed by one, and there is one more before the global average pooling.
    """

    operation: Callable[[str, int, int], nn.Module]
    align: Callable[[int, int, int], nn.Module]
    aligns_always: bool = True
    norm_first: bool = False


DARTS_STYLE = CellStyle(operations.build_operation, operations.align)
NAO_STYLE = CellStyle(operations.build_operation, operations.align, aligns_always=False)
BAYESNAS_STYLE = CellStyle(preactivation.build_operation, preactivation.align, norm_first=True)


class SearchedCell(nn.Module):
    """One cell: nodes that sum operations on earlier tensors, some of which are concatenated.

    Args:
        genotype: the graph.
        style: how its parts are built.
        in_channels: channels of the outputs of the last cell but one and of the last cell.
        channels: channels of every node.
        reduce: whether operations on the two inputs have stride 2.
        reduced_before: whether the last cell halved the resolution, so that the older input must be halved too.
    """

    def __init__(
        self,
        genotype: CellGenotype,
        style: CellStyle,
        in_channels: tuple[int, int],
        channels: int,
        *,
        reduce: bool,
        reduced_before: bool,
    ) -> None:
        super().__init__()
        strides = (2 if reduced_before else 1, 1)
        self.aligned = nn.ModuleList(
            style.align(given, channels, stride)
            if style.aligns_always or stride == 2 or given != channels
            else nn.Identity()
            for given, stride in zip(in_channels, strides, strict=True)
        )
        self.nodes = nn.ModuleList(
            nn.ModuleList(style.operation(name, channels, 2 if reduce and i < 2 else 1) for name, i in node)
            for node in genotype.nodes
        )
        self.inputs = tuple(tuple(i for _, i in node) for node in genotype.nodes)
        self.concat = genotype.concat
        self.out_channels = channels * len(genotype.concat)

    def forward(self, older: Tensor, newer: Tensor) -> Tensor:
        """Map the outputs of the last two cells to [B, out_channels, H, W]."""
        tensors = [align(inputs) for align, inputs in zip(self.aligned, (older, newer), strict=True)]
        for node, inputs in zip(self.nodes, self.inputs, strict=True):
            parts = [operation(tensors[i]) for operation, i in zip(cast(nn.ModuleList, node), inputs, strict=True)]
            tensors.append(sum(parts[1:], parts[0]))
        return torch.cat([tensors[i] for i in self.concat], dim=1)


class StackedCells(Backbone):
    """A stem of three convolutions with stride 2, cells of which two halve the resolution, pooling, a dense layer.

    The maps are those in the stem (strides 2 and 4) and the outputs of the last cell of each resolution. The auxiliary
    heads of the publications, which only help in training, are left out.

    Args:
        genotype: the normal and the reduction cell.
        channels: channels of the stem and of the nodes in the first cells; doubled by each reduction cell.
        num_classes: length of the logits.
        style: how the publication builds its parts.
        num_cells: number of cells; reduction cells come after a third and two thirds of them.
        stride: stride of the coarsest map, see `early_strides`.

    Raises:
        ParameterError: an operation or the stride is unknown.
    """

    def __init__(
        self,
        genotype: Genotype,
        channels: int,
        num_classes: int,
        style: CellStyle = DARTS_STYLE,
        *,
        num_cells: int = NUM_CELLS,
        stride: int = STRIDE,
    ) -> None:
        super().__init__()
        first, second = early_strides(stride)
        self.stem_half = nn.Sequential(*_convolution(IMAGE_CHANNELS, channels // 2, first))
        self.stem_quarter = nn.Sequential(nn.ReLU(), *_convolution(channels // 2, channels, second))
        eighth = _convolution(channels, channels, 2)
        self.stem_eighth = nn.Sequential(nn.ReLU(), *(eighth[:1] if style.norm_first else eighth))
        reductions = (num_cells // 3, 2 * num_cells // 3)
        cells, widths, width = [], (channels, channels), channels
        for i in range(num_cells):
            reduce, reduced_before = i in reductions, i == 0 or i - 1 in reductions
            width *= 2 if reduce else 1
            graph = genotype.reduction if reduce else genotype.normal
            cells.append(SearchedCell(graph, style, widths, width, reduce=reduce, reduced_before=reduced_before))
            widths = (widths[1], cells[-1].out_channels)
        self.cells = nn.ModuleList(cells)
        self.norm = nn.BatchNorm2d(widths[1]) if style.norm_first else nn.Identity()
        self.dropout = nn.Dropout(0.0)
        self.classifier = nn.Linear(widths[1], num_classes)
        self._last_cells = frozenset(i - 1 for i in (*reductions, num_cells))
        maps = (channels // 2, channels, *(cells[i].out_channels for i in sorted(self._last_cells)))
        strides = (first, first * second, stride // 4, stride // 2, stride)
        self._kept = last_of_each(strides)
        self.feature_info = tuple(FeatureInfo(maps[i], strides[i]) for i in self._kept)

    def forward_features(self, images: Tensor) -> list[Tensor]:
        """Return the last map of each resolution, finest first."""
        half = self.stem_half(images)
        older = self.stem_quarter(half)
        newer = self.stem_eighth(older)
        maps = [half, older]
        for i, cell in enumerate(self.cells):
            older, newer = newer, cell(older, newer)
            if i in self._last_cells:
                maps.append(newer)
        return [maps[i] for i in self._kept]

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits [B, num_classes] of normalised images [B, 3, H, W]."""
        return self.classifier(self.dropout(self.norm(self.forward_features(images)[-1]).mean(dim=(2, 3))))


def _convolution(in_channels: int, out_channels: int, stride: int) -> list[nn.Module]:
    """Return a 3x3 convolution and batch normalisation."""
    convolution = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(out_channels)]
