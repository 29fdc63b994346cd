"""Flattened adjacency: the matrix and one-hot operations as one vector, read by a fully connected network.

The vector is the one that the autoencoders read, vertices in the order of `nasgem_core.encoders.ordering`, so that a
cell has the same score however its vertices are numbered.
"""

import numpy as np
import torch
from torch import Tensor, nn

from nasgem_core.encoders.features import cell_features, num_features
from nasgem_core.encoders.ordering import order_vertices
from nasgem_core.predictors.recipe import Recipe
from nasgem_core.predictors.rivals.training import FitSettings, Inputs, TrainedNetwork
from nasgem_core.predictors.space import Space


def flattened(space: Space, rows: np.ndarray) -> Inputs:
    """Return the vectors of `nasgem_core.encoders.features`, float32 [B, F], for the cells `rows`."""
    vectors = cell_features(order_vertices(space.cells[rows]), space.cells.width)
    return (torch.from_numpy(vectors).float(),)


class Perceptron(nn.Module):
    """`layers` hidden ReLU layers of one width, each with dropout."""

    def __init__(self, features: int, width: int, layers: int, dropout: float) -> None:
        super().__init__()
        modules: list[nn.Module] = []
        for i in range(layers):
            modules += [nn.Linear(features if i == 0 else width, width), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*modules, nn.Linear(width, 1))

    def forward(self, vectors: Tensor) -> Tensor:
        """Return scores [B] from vectors [B, F]."""
        return self.layers(vectors)[:, 0]


def flattened_adjacency(
    space: Space, settings: FitSettings, *, width: int, layers: int, dropout: float
) -> TrainedNetwork:
    """Return the predictor that reads the flattened adjacency."""
    features = num_features(space.cells.width, len(space.cells.operation_names))
    return TrainedNetwork(space, flattened, lambda: Perceptron(features, width, layers, dropout), settings)


_SETTINGS = FitSettings("pairwise_bce", rate=3e-3, decay=1e-2, steps=400)
RECIPE = Recipe(build=lambda space, *_: flattened_adjacency(space, _SETTINGS, width=256, layers=3, dropout=0.3))
