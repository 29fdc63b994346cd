"""Neural Predictor (Wen et al. 2020), the graph convolution that NGE uses too: messages along and against the edges.

A layer maps vertex states V to (relu(A+ V W+) + relu(A- V W-)) / 2, where A+ is the adjacency matrix with self-loops,
its rows normalised, and A- its transpose, likewise. States are averaged over a cell's vertices, so that a cell has the
same score however its vertices are numbered. The original's second network, which sorts out failed trainings, is left
out.
"""

from torch import Tensor, eye, nn
from torch.nn.functional import relu

from nasgem_core.predictors.encoder import graphs_of
from nasgem_core.predictors.recipe import Recipe
from nasgem_core.predictors.rivals.training import FitSettings, TrainedNetwork
from nasgem_core.predictors.space import Space


class DirectedConvolution(nn.Module):
    """One layer: states [B, V, inputs] and both normalised matrices [B, V, V] to states [B, V, outputs]."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.along, self.against = (nn.Linear(inputs, outputs, bias=False) for _ in range(2))

    def forward(self, states: Tensor, forward: Tensor, backward: Tensor) -> Tensor:
        """Return the new states; see the module's formula."""
        return (relu(forward @ self.along(states)) + relu(backward @ self.against(states))) / 2


class GraphConvolution(nn.Module):
    """Layers of directed convolution, each with dropout, and a ReLU layer on the mean over vertices."""

    def __init__(self, kinds: int, width: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DirectedConvolution(width if i else kinds, width) for i in range(layers))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, 1))

    def forward(self, adjacency: Tensor, kinds: Tensor, mask: Tensor, last: Tensor) -> Tensor:
        """Return scores [B]; for the arguments see `nasgem_core.predictors.encoder.graphs_of`."""
        looped = adjacency + eye(adjacency.shape[1])
        matrices = [matrix / matrix.sum(2, keepdim=True) for matrix in (looped, looped.transpose(1, 2))]
        states = kinds
        for layer in self.layers:
            states = self.dropout(layer(states, *matrices))
        mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return self.head(mean)[:, 0]


def neural_predictor(space: Space, settings: FitSettings, *, width: int, layers: int, dropout: float) -> TrainedNetwork:
    """Return the predictor that convolves graphs."""
    kinds = len(space.cells.operation_names) + 1
    return TrainedNetwork(space, graphs_of, lambda: GraphConvolution(kinds, width, layers, dropout), settings)


_SETTINGS = FitSettings("pairwise_hinge", rate=3e-3, decay=1e-2, steps=400)
RECIPE = Recipe(build=lambda space, *_: neural_predictor(space, _SETTINGS, width=144, layers=3, dropout=0.1))
