"""Known blocks as cells: what mobile and other networks are made of, in the words of a search space.

All vertices of a cell have the same number of channels, so an expansion of e is e `conv1x1` side by side. A `dwconv3x3`
is a depthwise convolution and the pointwise one that follows it. Strides, residual sums and the place of activations
belong to the network that is stacked, not to the cell. An installed package adds blocks by entry points in the group
`nasgem.blocks`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import CellsConfig
from nasgem_core.operations.operation import INPUT
from nasgem_core.registry import Registry


@dataclass(frozen=True)
class KnownBlock:
    """A block that somebody has published.

    Args:
        title: its name in tables, such as "MobileNetV2, expansion 6".
        cell: the block as a cell.
    """

    title: str
    cell: Cell


def _cell(*vertices: tuple[str, Sequence[int]]) -> Cell:
    """Return a cell from the operation and the predecessors of vertices 1, 2, and so on."""
    adjacency = np.zeros((len(vertices) + 1, len(vertices) + 1), dtype=np.uint8)
    for vertex, (_, predecessors) in enumerate(vertices, start=1):
        adjacency[list(predecessors), vertex] = 1
    return Cell(adjacency, (INPUT, *(operation for operation, _ in vertices)))


def _mobilenet_v2(expansion: int) -> KnownBlock:
    """Return MobileNetV2's inverted residual: an expansion, and one depthwise-separable convolution of all of it."""
    wide = [("conv1x1", [0])] * expansion
    cell = _cell(*wide, ("dwconv3x3", range(1, expansion + 1)))
    return KnownBlock(f"MobileNetV2, expansion {expansion}", cell)


MOBILENET_V1 = KnownBlock("MobileNetV1", _cell(("dwconv3x3", [0])))
MOBILENET_V2_3, MOBILENET_V2_4, MOBILENET_V2_6 = map(_mobilenet_v2, (3, 4, 6))
SHUFFLENET = KnownBlock("ShuffleNetV2-like", _cell(("dwconv3x3", [0]), ("conv1x1", [0]), ("dwconv3x3", [2])))
"""The unit of ShuffleNetV2 that has convolutions in both branches; the other one passes half of its channels on."""
CONVNEXT = KnownBlock("ConvNeXt-like", _cell(("dwconv3x3", [0]), *[("conv1x1", [1])] * 4, ("conv1x1", range(2, 6))))
"""With a 3x3 kernel in place of 7x7, and a pointwise convolution behind it."""
REGNET = KnownBlock("RegNet-like", _cell(("conv1x1", [0]), ("conv3x3", [1]), ("conv1x1", [2])))
"""Without the groups of RegNet's 3x3 convolution."""

BLOCKS: Registry[KnownBlock] = Registry(
    "block",
    {
        name.lower(): f"{__name__}:{name}"
        for name in (
            "MOBILENET_V1",
            "MOBILENET_V2_3",
            "MOBILENET_V2_4",
            "MOBILENET_V2_6",
            "SHUFFLENET",
            "CONVNEXT",
            "REGNET",
        )
    },
    "nasgem.blocks",
)
"""Our own blocks, those of installed packages, and those added in this process."""


def known_blocks(space: CellsConfig) -> list[KnownBlock]:
    """Return the known blocks that are cells of a search space, no two of them isomorphic.

    A block is left out where it uses an operation that the space does not have, or has more vertices.

    Raises:
        NasgemError: the package that adds a block is broken.
    """
    found: dict[str, KnownBlock] = {}
    for block in map(BLOCKS.get, BLOCKS.names()):
        if block.cell.num_vertices <= space.vertices and set(block.cell.operations[1:]) <= set(space.operations):
            found.setdefault(block.cell.canonical_key, block)
    return list(found.values())
