"""The encoder and predictor of NAO (Luo et al. 2018): a cell as a sequence of tokens, read by an LSTM.

Vertex by vertex after the input: a token for each earlier vertex (feeds it or not), then one for the operation. The
sequence depends on how vertices are numbered; they stand in the order of `nasgem_core.encoders.ordering`. NAO's
decoder, which serves its gradient search and not the prediction, is left out.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from nasgem_core.cells.codes import FIRST_OPERATION_CODE, PADDING_CODE
from nasgem_core.encoders.ordering import order_vertices
from nasgem_core.predictors.recipe import Recipe
from nasgem_core.predictors.rivals.training import FitSettings, Inputs, TrainedNetwork
from nasgem_core.predictors.space import Space

ABSENT = 2
"""The token of a vertex that is not there; 0 is no edge, 1 an edge, and what follows ABSENT are the operations."""


def tokens(space: Space, rows: np.ndarray) -> Inputs:
    """Return the sequences of the cells `rows`, int64 [B, V (V - 1) / 2 + V - 1] for cells of V vertices at most."""
    cells = order_vertices(space.cells[rows])
    operations = np.where(cells.codes == PADDING_CODE, ABSENT, ABSENT + 1 + cells.codes - FIRST_OPERATION_CODE)
    parts = []
    for v in range(1, cells.width):
        parts += [cells.adjacency[:, :v, v], operations[:, v, None]]
    return (torch.from_numpy(np.concatenate(parts, axis=1).astype(np.int64)),)


class SequenceScorer(nn.Module):
    """Embedded tokens through one LSTM layer; the mean of its normalised states, normalised, through a ReLU network."""

    def __init__(self, operations: int, width: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(ABSENT + 1 + operations, width)
        self.lstm = nn.LSTM(width, width, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(2 * width, 1))

    def forward(self, sequences: Tensor) -> Tensor:
        """Return scores [B] from tokens [B, T]."""
        states, _ = self.lstm(self.dropout(self.embedding(sequences)))
        return self.head(normalize(normalize(states, dim=2).mean(1), dim=1))[:, 0]


def lstm_predictor(space: Space, settings: FitSettings, *, width: int, dropout: float) -> TrainedNetwork:
    """Return the predictor that reads cells as sequences."""
    operations = len(space.cells.operation_names)
    return TrainedNetwork(space, tokens, lambda: SequenceScorer(operations, width, dropout), settings)


_SETTINGS = FitSettings("pairwise_hinge", rate=3e-3, decay=1e-2, steps=800)
RECIPE = Recipe(build=lambda space, *_: lstm_predictor(space, _SETTINGS, width=96, dropout=0.2))
