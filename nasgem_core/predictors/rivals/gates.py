"""GATES (Ning et al. 2020) for cells with operations on vertices: operations modulate the information that flows.

A layer maps vertex states X to sigmoid(O W_o + b_o) * (A^T X W) + X W + b, where O are the embeddings of the operations
and A^T X W sums what a vertex's predecessors send: an operation is a gate on what its vertex receives, and no input.
States start as two learned vectors, one for the cell's input and one for all other vertices, and the output vertex is
read; so a cell has the same score however its vertices are numbered.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from nasgem_core.predictors.encoder import graphs_of
from nasgem_core.predictors.recipe import Recipe
from nasgem_core.predictors.rivals.training import FitSettings, TrainedNetwork
from nasgem_core.predictors.space import Space

_EMBEDDING = 48
"""Length of an operation's embedding and of the states at the start, as published."""


class GatedFlow(nn.Module):
    """One layer: states [B, V, inputs] to [B, V, outputs], gated by embedded operations [B, V, 48]."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.send = nn.Linear(inputs, outputs, bias=False)
        self.gate = nn.Linear(_EMBEDDING, outputs)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, states: Tensor, predecessors: Tensor, operations: Tensor) -> Tensor:
        """Return the new states; predecessors [B, V, V] is the transposed adjacency matrix."""
        sent = self.send(states)
        return torch.sigmoid(self.gate(operations)) * (predecessors @ sent) + sent + self.bias


class FlowScorer(nn.Module):
    """Gated layers with ReLU and dropout between them; a ReLU layer on the output vertex's state."""

    def __init__(self, kinds: int, width: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.operation = nn.Linear(kinds, _EMBEDDING, bias=False)
        self.start = nn.Parameter(torch.randn(2, _EMBEDDING))
        self.layers = nn.ModuleList(GatedFlow(width if i else _EMBEDDING, width) for i in range(layers))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, 1))

    def forward(self, adjacency: Tensor, kinds: Tensor, mask: Tensor, last: Tensor) -> Tensor:
        """Return scores [B]; for the arguments see `nasgem_core.predictors.encoder.graphs_of`."""
        predecessors, operations = adjacency.transpose(1, 2), self.operation(kinds)
        states = torch.cat([self.start[:1], self.start[1:].expand(adjacency.shape[1] - 1, -1)])
        states = states.expand(len(adjacency), -1, -1)
        for i, layer in enumerate(self.layers):
            states = layer(self.dropout(relu(states)) if i else states, predecessors, operations)
        return self.head(states[torch.arange(len(states)), last])[:, 0]


def gates(space: Space, settings: FitSettings, *, width: int, layers: int, dropout: float) -> TrainedNetwork:
    """Return the predictor that lets information flow through operations."""
    kinds = len(space.cells.operation_names) + 1
    return TrainedNetwork(space, graphs_of, lambda: FlowScorer(kinds, width, layers, dropout), settings)


_SETTINGS = FitSettings("pairwise_hinge", rate=3e-3, decay=1e-2, steps=800)
RECIPE = Recipe(build=lambda space, *_: gates(space, _SETTINGS, width=64, layers=5, dropout=0.0))
