"""Message passing along and against the edges, pre-trained without labels.

Pre-training lets the encoder predict all analytic features of unlabelled cells. It is done once for a space.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, mse_loss

from nasgem_core.cells.codes import FIRST_OPERATION_CODE, INPUT_CODE, PADDING_CODE
from nasgem_core.errors import DataError
from nasgem_core.predictors.space import Space
from nasgem_core.seeding import derive_seed

WIDTH, LAYERS = 64, 4
EMBEDDING = 3 * WIDTH
_BATCH, _POOL, _RATE = 256, 30_000, 3e-3
_FEW_VERTICES = 3.0
"""The sum over vertices is divided by this, so that it is of the size of one vertex's state."""

Graphs = tuple[Tensor, Tensor, Tensor, Tensor]


def graphs_of(space: Space, rows: np.ndarray) -> Graphs:
    """Return adjacency [B, V, V], one-hot kinds [B, V, K + 2], mask [B, V], all float32, and the last vertex [B].

    The kinds are the K operations, the input and the output; padding is all zeros.
    """
    codes = space.cells.codes[rows]
    kinds = len(space.cells.operation_names) + 1
    one_hot = np.zeros((FIRST_OPERATION_CODE + kinds - 1, kinds), dtype=np.float32)
    for i in range(kinds - 2):
        one_hot[FIRST_OPERATION_CODE + i, i] = 1
    one_hot[INPUT_CODE, kinds - 2] = one_hot[-1, kinds - 1] = 1
    own = codes != PADDING_CODE
    adjacency = torch.from_numpy(space.cells.adjacency[rows].astype(np.float32))
    mask, last = torch.from_numpy(own.astype(np.float32)), torch.from_numpy(own.sum(1) - 1)
    return adjacency, torch.from_numpy(one_hot[codes]), mask, last


class Encoder(nn.Module):
    """Residual layers on [own state, sums and means over both neighbourhoods]; read out at both ends and as a sum."""

    def __init__(self, kinds: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.inputs = nn.Linear(kinds, WIDTH)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(5 * WIDTH, WIDTH), nn.LayerNorm(WIDTH)) for _ in range(LAYERS)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, cells: Graphs) -> Tensor:
        """Return embeddings [B, EMBEDDING]."""
        adjacency, kinds, mask, last = cells
        states = self.inputs(kinds) * mask[..., None]
        before = 1 / adjacency.sum(1)[..., None].clamp(min=1)
        after = 1 / adjacency.sum(2)[..., None].clamp(min=1)
        for layer in self.layers:
            arriving, leaving = adjacency.transpose(1, 2) @ states, adjacency @ states
            message = layer(torch.cat([states, arriving, arriving * before, leaving, leaving * after], 2))
            states = (states + self.dropout(gelu(message))) * mask[..., None]
        ends = states[torch.arange(len(states)), last], states[:, 0]
        return torch.cat([*ends, states.sum(1) / _FEW_VERTICES], 1)


def pretrain(space: Space, seed: int, steps: int = 500) -> Encoder:
    """Return an encoder that has learned to predict the features of at most 30,000 cells of the space.

    It takes `steps` batches of 256 cells, at a rate that rises for a tenth of them and falls after.
    """
    rng = np.random.default_rng(derive_seed(seed, "cells"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "weights"))
        encoder = Encoder(len(space.cells.operation_names) + 1)
        head = nn.Linear(EMBEDDING, space.features.shape[1])
    optimiser = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], lr=_RATE, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=steps, pct_start=0.1)
    drawn = rng.permutation(len(space))[:_POOL]
    for _ in range(steps):
        rows = drawn[rng.integers(0, len(drawn), _BATCH)]
        loss = mse_loss(head(encoder(graphs_of(space, rows))), torch.from_numpy(space.features[rows]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return encoder


def pretrain_encoders(space: Space, seed: int, count: int) -> dict[str, np.ndarray]:
    """Return the weights of `count` encoders that `pretrain` gives from different seeds, as arrays by name."""
    return {
        f"encoder{i}.{name}": value.numpy()
        for i in range(count)
        for name, value in pretrain(space, derive_seed(seed, "encoder", i)).state_dict().items()
    }


def encoders_of(space: Space, arrays: Mapping[str, np.ndarray], count: int) -> list[Encoder]:
    """Return the encoders whose weights `pretrain_encoders` gave; raises `DataError` where one is not there."""
    encoders = []
    for i in range(count):
        start = f"encoder{i}."
        weights = {name[len(start) :]: torch.tensor(a) for name, a in arrays.items() if name.startswith(start)}
        encoder = Encoder(len(space.cells.operation_names) + 1)
        try:
            encoder.load_state_dict(weights)
        except RuntimeError:
            found = f"{len(weights)} arrays named {start}*"
            raise DataError(f"{found} are not an encoder of this space: pre-train on the space again") from None
        encoders.append(encoder)
    return encoders
