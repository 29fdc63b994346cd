"""Cells of the published networks, as data; `reported.py` names the source of each.

A cell has two inputs, 0 (the output of the last cell but one) and 1 (the output of the last cell), and nodes that are
numbered from 2. In a text, nodes are separated by `|`, and a node is the sum of its entries `operation:input`. The
operations are those of `operations.py`; the number in a name is the side of its kernel.
"""

from dataclasses import dataclass

Node = tuple[tuple[str, int], ...]
"""A sum of operations, each on one earlier tensor: (operation, input)."""


@dataclass(frozen=True)
class CellGenotype:
    """One cell.

    Args:
        nodes: the nodes, numbered from 2.
        concat: numbers of the tensors whose concatenation over channels is the output.
    """

    nodes: tuple[Node, ...]
    concat: tuple[int, ...]


@dataclass(frozen=True)
class Genotype:
    """The two cells of a network: one keeps the resolution, the other halves it."""

    normal: CellGenotype
    reduction: CellGenotype


def read_cell(text: str, concat: tuple[int, ...] = ()) -> CellGenotype:
    """Return the cell that a text describes; its output has every node unless `concat` names some."""
    nodes = []
    for node in text.split("|"):
        entries = (entry.split(":") for entry in node.split())
        nodes.append(tuple((operation, int(number)) for operation, number in entries))
    return CellGenotype(tuple(nodes), concat or tuple(range(2, len(nodes) + 2)))


DARTS = Genotype(
    read_cell("sep3:0 sep3:1 | sep3:0 sep3:1 | sep3:1 skip:0 | skip:0 dil3:2"),
    read_cell("max3:0 max3:1 | skip:2 max3:1 | max3:0 skip:2 | skip:2 max3:1"),
)
P_DARTS = Genotype(
    read_cell("skip:0 dil3:1 | skip:0 sep3:1 | sep3:1 sep3:3 | sep3:0 dil5:4"),
    read_cell("avg3:0 sep5:1 | sep3:0 dil5:2 | max3:0 dil3:1 | dil3:1 dil5:3"),
)
PC_DARTS_CIFAR = Genotype(
    read_cell("sep3:1 skip:0 | sep3:0 dil3:1 | sep5:0 sep3:1 | avg3:0 dil3:1"),
    read_cell("sep5:1 max3:0 | sep5:1 sep5:2 | sep3:0 sep3:3 | sep3:1 sep3:2"),
)
PC_DARTS_IMAGENET = Genotype(
    read_cell("skip:1 sep3:0 | sep3:0 skip:1 | sep3:1 sep3:3 | sep3:1 dil5:4"),
    read_cell("sep3:0 skip:1 | dil5:2 max3:1 | sep3:2 sep3:1 | sep5:0 sep3:3"),
)
SNAS_MILD = Genotype(
    read_cell("sep3:0 sep3:1 | skip:0 dil3:1 | skip:0 skip:1 | skip:0 sep3:1"),
    read_cell("max3:0 max3:1 | max3:1 skip:2 | max3:1 skip:2 | max3:0 dil5:2"),
)
GDAS = Genotype(
    read_cell("skip:0 skip:1 | skip:0 sep5:2 | sep3:3 skip:0 | sep5:4 sep3:3"),
    read_cell("sep5:0 sep3:1 | sep5:2 sep5:1 | dil5:2 sep3:1 | sep5:0 sep5:1"),
)
BAYESNAS = Genotype(
    read_cell("sep5:1 sep5:0 max3:0 avg3:0 skip:0 | max3:1 skip:1 | skip:1 max3:0 | avg3:2"),
    read_cell("skip:1 sep3:0 avg3:0 max3:0 sep5:0 | max3:0 avg3:0 | sep3:0 avg3:0 | sep5:2"),
)
NAONET = Genotype(
    read_cell("conv3:0 avg5:1 | conv1x3:2 conv3:1 | conv1:0 conv3:1 | conv1x3:0 conv3:4 | skip:1 conv3:0", (3, 5, 6)),
    read_cell("conv3:0 avg2:1 | conv1:0 avg3:0 | conv1x7:0 max2:1 | avg3:0 conv1:2 | max3:1 conv3:0", (3, 4, 5, 6)),
)
