"""Networks on a pre-trained encoder: fine-tuned to rank labelled cells, or to repeat another predictor's scores.

Ranking: binary cross-entropy of pairs, the wanted probability a logistic function of the difference of both targets.
"""

import copy
from collections.abc import Callable
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from nasgem_core.predictors.encoder import EMBEDDING, WIDTH, Encoder, Graphs, graphs_of
from nasgem_core.predictors.predictor import normal_scores
from nasgem_core.predictors.space import Space
from nasgem_core.seeding import derive_seed

_SHARPNESS = 3.0
_BATCH, _RATE, _CHUNK = 256, 2e-3, 256
_ENCODER_DROPOUT, _FEATURE_DROPOUT = 0.1, 0.3
_MANY = 1000
"""Labels from which on less regularisation pays."""
_STEPS, _STEPS_AT, _STEPS_GROWTH = 150, 424, 0.6
"""Steps of fine-tuning at up to so many labels, and the power of the number of labels by which they grow beyond."""


class RankingHead(nn.Module):
    """A score from an embedding, and from the analytic features beside it where their number is given."""

    def __init__(self, encoder: Encoder, features: int, dropout: float) -> None:
        super().__init__()
        self.encoder, self.norm, self.dropout = encoder, nn.LayerNorm(EMBEDDING), nn.Dropout(dropout)
        self.beside = (
            nn.Sequential(nn.Dropout(_FEATURE_DROPOUT), nn.Linear(features, WIDTH), nn.GELU()) if features else None
        )
        wide = EMBEDDING + (WIDTH if features else 0)
        self.head = nn.Sequential(nn.Linear(wide, WIDTH), nn.GELU(), nn.Dropout(dropout), nn.Linear(WIDTH, 1))

    def forward(self, cells: Graphs, features: Tensor) -> Tensor:
        """Return scores [B]; features is [B, F], read only where the scorer has them beside."""
        hidden = self.dropout(self.norm(self.encoder(cells)))
        if self.beside is not None:
            hidden = torch.cat([hidden, self.dropout(self.beside(features))], 1)
        return self.head(hidden)[:, 0]


def ranking_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross-entropy over all pairs of a batch: that i is better than j, wanted against predicted."""
    wanted = torch.sigmoid(_SHARPNESS * (targets[:, None] - targets))
    return binary_cross_entropy_with_logits(_SHARPNESS * (scores[:, None] - scores), wanted)


class Network:
    """A scorer that starts from a copy of `encoder`; with `beside` it sees the analytic features too."""

    def __init__(self, space: Space, encoder: Encoder, beside: bool) -> None:
        self._space, self._encoder, self._beside = space, encoder, beside

    def fit(self, rows: np.ndarray, labels: np.ndarray, seed: int) -> Self:
        """Rank the normal scores of the labels; see `Predictor.fit`. The encoder learns at half the rate."""
        targets, many = normal_scores(rows, labels), len(rows) >= _MANY
        steps = int(_STEPS * max(1.0, (len(rows) / _STEPS_AT) ** _STEPS_GROWTH))
        return self._train(rows, targets, seed, ranking_loss, steps, 0.5 * _RATE, many)

    def distil(self, rows: np.ndarray, scores: np.ndarray, seed: int, steps: int) -> Self:
        """Learn by squared error, in so many steps, the scores [N] that another predictor gives cells `rows` [N]."""
        return self._train(rows, scores, seed, mse_loss, steps, _RATE, True)

    def predict(self, rows: np.ndarray, space: Space | None = None) -> np.ndarray:
        """Return scores, float32 [rows]; see `Predictor.predict`."""
        space, parts = space or self._space, [np.empty(0, dtype=np.float32)]
        with torch.inference_mode():
            for start in range(0, len(rows), _CHUNK):
                part = rows[start : start + _CHUNK]
                features = torch.from_numpy(space.features[part])
                parts.append(self._scorer(graphs_of(space, part), features).numpy())
        return np.concatenate(parts)

    def _train(
        self,
        rows: np.ndarray,
        targets: np.ndarray,
        seed: int,
        loss: Callable[[Tensor, Tensor], Tensor],
        steps: int,
        encoder_rate: float,
        many: bool,
    ) -> Self:
        dropout, decay = (0.1, 0.02) if many else (0.2, 0.05)
        cells, features = graphs_of(self._space, rows), torch.from_numpy(self._space.features[rows])
        wanted = torch.from_numpy(np.asarray(targets, dtype=np.float32))
        encoder = copy.deepcopy(self._encoder)
        encoder.dropout.p = _ENCODER_DROPOUT
        # Dropout draws from torch's own stream.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(seed, "network"))
            scorer = RankingHead(encoder, features.shape[1] if self._beside else 0, dropout)
            slow = list(encoder.parameters())
            fast = [value for name, value in scorer.named_parameters() if not name.startswith("encoder.")]
            rates = [encoder_rate, _RATE]
            optimiser = torch.optim.AdamW([{"params": slow}, {"params": fast}], lr=_RATE, weight_decay=decay)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, total_steps=steps, pct_start=0.1)
            for _ in range(steps):
                drawn = torch.randperm(len(rows))[:_BATCH]
                adjacency, kinds, mask, last = (part[drawn] for part in cells)
                value = loss(scorer((adjacency, kinds, mask, last), features[drawn]), wanted[drawn])
                optimiser.zero_grad()
                value.backward()
                optimiser.step()
                schedule.step()
        self._scorer = scorer.eval()
        return self
