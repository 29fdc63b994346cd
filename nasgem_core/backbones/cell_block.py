"""One copy of the cell in GEMNet, with its residual connection."""

import torch
from torch import Tensor, nn

from nasgem_core.backbones.concatenation import apply_to_concatenation, concatenate_normalised
from nasgem_core.cells.cell import Cell
from nasgem_core.networks.operations import build_operation


class ConvBN(nn.Module):
    """A convolution-like layer and batch normalisation, with ReLU behind them unless it is linear.

    Args:
        layer: maps [B, C, H, W] to [B, channels, H', W'].
        channels: output channels.
        linear: leave the ReLU out.
    """

    def __init__(self, layer: nn.Module, channels: int, *, linear: bool = False) -> None:
        super().__init__()
        self.layer = layer
        self.norm = nn.BatchNorm2d(channels)
        self.linear = linear

    def forward(self, *inputs: Tensor) -> Tensor:
        """Apply layer, normalisation and activation to the channel concatenation of the inputs."""
        outputs = self.norm(apply_to_concatenation(self.layer, inputs))
        return outputs if self.linear else torch.relu_(outputs)


class CellBlock(nn.Module):
    """One cell: vertex 0 passes on (or halves) the input, each other vertex is a triplet, the leaves are linear.

    A leaf is convolution and batch normalisation without ReLU; every other triplet ends in ReLU. The leaves are
    concatenated, the block's input is added where the block is residual, and the ReLU of the leaves follows here,
    behind the sum. So a block that is not residual computes what the cell of the proxy task does, and a cell whose
    leaves all hang on its input still makes a network that is not linear. (Where the activation follows is not in
    the paper; our choice.)

    Args:
        cell: the graph.
        in_channels: channels of the input; vertex 0 keeps them.
        channels: channels of every other vertex.
        reduce: whether vertex 0 is a 2x2 max-pool with stride 2 (an odd last row or column is dropped).
        residual: whether the input is added to the output, which must have its shape.
    """

    def __init__(self, cell: Cell, in_channels: int, channels: int, *, reduce: bool, residual: bool) -> None:
        super().__init__()
        self.predecessors = [cell.predecessors(vertex) for vertex in range(cell.num_vertices)]
        self.leaves = cell.leaves
        self.reduce = reduce
        self.residual = residual
        of_vertex = (in_channels, *[channels] * (cell.num_vertices - 1))
        self.vertices = nn.ModuleList(
            ConvBN(
                build_operation(name, sum(of_vertex[u] for u in self.predecessors[vertex]), channels),
                channels,
                linear=vertex in cell.leaves,
            )
            for vertex, name in enumerate(cell.operations[1:], start=1)
        )
        self.out_channels = channels * len(cell.leaves)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [B, in_channels, H, W] to [B, out_channels, H, W], or half of that height and width."""
        tensors = [nn.functional.max_pool2d(inputs, 2) if self.reduce else inputs]
        for vertex, triplet in enumerate(self.vertices, start=1):
            tensors.append(triplet(*[tensors[u] for u in self.predecessors[vertex]]))
        outputs = concatenate_normalised([tensors[leaf] for leaf in self.leaves])
        return torch.relu_(inputs + outputs if self.residual else outputs)
