"""One copy of a cell as torch modules: what proxy networks, GEMNet and exported Python files are made of.

Exported files hold the source of the classes and of `concatenate`, so these use torch alone.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from nasgem_core.cells.cell import Cell
from nasgem_core.operations.operation import LayerBuilder
from nasgem_core.operations.registry import OPERATIONS


def graph_of(cell: Cell) -> tuple[list[LayerBuilder], list[list[int]]]:
    """Return what `CellBlock` takes of a cell: the builder of each vertex's layer, and the edges.

    Raises:
        CellError: an operation has no layer, as those of measured tables.
    """
    return [OPERATIONS.get(name).layer for name in cell.operations[1:]], cell.to_dict()["edges"]


def concatenate(tensors: Sequence[Tensor]) -> Tensor:
    """Join [B, C_i, H, W] over channels."""
    return tensors[0] if len(tensors) == 1 else torch.cat(list(tensors), dim=1)


class ConvBN(nn.Module):
    """A convolution-like layer and batch normalisation, followed by an activation unless it is linear.

    Args:
        layer: maps [B, C, H, W] to [B, channels, H', W'].
        channels: output channels.
        activation: what follows, elementwise; it may work in place. None leaves the triplet linear.
    """

    def __init__(
        self, layer: nn.Module, channels: int, activation: Callable[[Tensor], Tensor] | None = torch.relu_
    ) -> None:
        super().__init__()
        self.layer = layer
        self.norm = nn.BatchNorm2d(channels)
        self.activation = activation

    def forward(self, *inputs: Tensor) -> Tensor:
        """Apply layer, normalisation and activation to the channel concatenation of the inputs."""
        outputs = self.norm(self.convolve(inputs))
        return outputs if self.activation is None else self.activation(outputs)

    def convolve(self, inputs: Sequence[Tensor]) -> Tensor:
        """Apply the layer to the channel concatenation of the inputs."""
        return self.layer(concatenate(inputs))


class CellBlock(nn.Module):
    """One cell: vertex 0 passes on (or halves) its input, each other vertex is a triplet; leaves are concatenated.

    Args:
        layers: builds the layer of each vertex after vertex 0, from (input channels, output channels).
        edges: pairs (u, v), u below v, in ascending order.
        in_channels: channels of the input; vertex 0 keeps them.
        channels: channels of every other vertex.
        reduce: whether vertex 0 is a 2x2 max-pool with stride 2 (an odd last row or column is dropped).
        activation: what follows each vertex.
        linear_leaves: leave the activation of the leaves out.
    """

    triplet = ConvBN

    def __init__(
        self,
        layers: Sequence[Callable[[int, int], nn.Module]],
        edges: Sequence[Sequence[int]],
        *,
        in_channels: int,
        channels: int,
        reduce: bool,
        activation: Callable[[Tensor], Tensor] = torch.relu_,
        linear_leaves: bool = False,
    ) -> None:
        super().__init__()
        self.predecessors: list[list[int]] = [[] for _ in range(len(layers) + 1)]
        for u, v in edges:
            self.predecessors[v].append(u)
        self.leaves = sorted(set(range(len(layers) + 1)) - {u for u, _ in edges})
        self.reduce = reduce
        self.channels = [in_channels] + [channels] * len(layers)
        self.vertices = nn.ModuleList()
        for vertex, build in enumerate(layers, start=1):
            layer = build(sum(self.channels[u] for u in self.predecessors[vertex]), channels)
            linear = linear_leaves and vertex in self.leaves
            self.vertices.append(self.triplet(layer, channels, None if linear else activation))
        self.out_channels = channels * len(self.leaves)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [B, in_channels, H, W] to [B, out_channels, H, W], or half of that height and width."""
        tensors = [nn.functional.max_pool2d(inputs, 2) if self.reduce else inputs]
        for vertex, triplet in enumerate(self.vertices, start=1):
            tensors.append(triplet(*[tensors[u] for u in self.predecessors[vertex]]))
        return self.join([tensors[leaf] for leaf in self.leaves])

    def join(self, leaves: Sequence[Tensor]) -> Tensor:
        """Concatenate the leaves."""
        return concatenate(leaves)
