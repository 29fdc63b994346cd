"""The proxy network of a cell as it is trained: on the CPU by fused kernels, elsewhere by its plain modules."""

from collections.abc import Sequence
from typing import cast

from torch import Tensor

from nasgem_core.cells.cell import Cell
from nasgem_core.networks.cell_block import CellBlock, ConvBN, graph_of
from nasgem_core.networks.fused import FusedStage, FusedTrunk, Triplet
from nasgem_core.networks.fused_operations import fused_operation
from nasgem_core.networks.layout import IMAGE_CHANNELS, NetworkLayout
from nasgem_core.networks.proxy_network import ProxyNetwork


class CellNetwork(ProxyNetwork):
    """A network of one cell per stage; maps images [B, 3, H, W] to logits [B, num_classes].

    Args:
        cell: the graph that every stage is built from.
        layout: widths and resolutions.
        num_classes: length of the logits.

    Raises:
        CellError: an operation has no layer.
    """

    def __init__(self, cell: Cell, layout: NetworkLayout, num_classes: int) -> None:
        super().__init__(*graph_of(cell), **layout.numbers(), num_classes=num_classes)
        self.cell = cell
        self.layout = layout
        self._trunk = self._fused_trunk()

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits [B, num_classes] of normalised images [B, 3, H, W]."""
        if self._trunk is not None and self._trunk.serves(images):
            return self.head(self._trunk(images))
        return self.forward_modules(images)

    def forward_modules(self, images: Tensor) -> Tensor:
        """Return the same logits by the plain modules: on a GPU, and where an operation has no fused kernel."""
        return super().forward(images)

    def _fused_trunk(self) -> FusedTrunk | None:
        """Return the CPU form of stem and stages on the same parameters, or None where an operation has none."""
        stem = _fused_triplet(self.stem, range(IMAGE_CHANNELS), 0)
        stages = [
            _fused_stage(cast(CellBlock, stage), size)
            for stage, size in zip(self.stages, self.layout.resolutions, strict=True)
        ]
        complete = [stage for stage in stages if stage is not None]
        return FusedTrunk(stem, complete) if stem is not None and len(complete) == len(stages) else None


def _fused_triplet(triplet: ConvBN, rows: Sequence[int], first: int) -> Triplet | None:
    operation = fused_operation(triplet.layer, rows)
    return Triplet(operation, triplet.norm, first, first + triplet.norm.num_features) if operation else None


def _fused_stage(stage: CellBlock, size: int) -> FusedStage | None:
    """Give each vertex its rows in the stage's buffer: vertex 0, the inner vertices in order, the leaves in order."""
    inner = [vertex for vertex in range(len(stage.channels)) if vertex not in stage.leaves]
    starts, channels = {}, 0
    for vertex in [*inner, *stage.leaves]:
        starts[vertex] = channels
        channels += stage.channels[vertex]
    triplets = []
    for vertex, triplet in enumerate(stage.vertices, start=1):
        rows = [starts[u] + c for u in stage.predecessors[vertex] for c in range(stage.channels[u])]
        fused = _fused_triplet(cast(ConvBN, triplet), rows, starts[vertex])
        if fused is None:
            return None
        triplets.append(fused)
    return FusedStage(triplets, stage.channels[0], channels, starts[stage.leaves[0]], size, stage.reduce)
