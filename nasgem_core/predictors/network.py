"""Networks on a pre-trained encoder: fine-tuned to rank labelled cells, or to repeat another predictor's scores.

Ranking: binary cross-entropy of pairs, the wanted probability a logistic function of the difference of both targets.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from nasgem_core.predictors.encoder import (
    EMBEDDING,
    WIDTH,
    Encoder,
    Graphs,
    encoders_of,
    graphs_of,
    pretrain_encoders,
)
from nasgem_core.predictors.predictor import normal_scores
from nasgem_core.predictors.recipe import Recipe
from nasgem_core.predictors.space import Space
from nasgem_core.seeding import derive_seed

_SHARPNESS = 3.0
_BATCH, _RATE, _CHUNK = 256, 2e-3, 256
_ENCODER_DROPOUT, _FEATURE_DROPOUT = 0.1, 0.3
_LESS_REGULARISED_AT = 1000
"""Labels from which less regularisation pays."""
_STEPS, _STEPS_AT, _STEPS_GROWTH = 150, 424, 0.6
"""Steps of fine-tuning at up to so many labels, and the power of the number of labels by which they grow beyond."""


class RankingHead(nn.Module):
    """A score from an embedding, and from the analytic features too where their number is given."""

    def __init__(self, encoder: Encoder, features: int, dropout: float) -> None:
        super().__init__()
        self.encoder, self.norm, self.dropout = encoder, nn.LayerNorm(EMBEDDING), nn.Dropout(dropout)
        self.analytic = (
            nn.Sequential(nn.Dropout(_FEATURE_DROPOUT), nn.Linear(features, WIDTH), nn.GELU()) if features else None
        )
        wide = EMBEDDING + (WIDTH if features else 0)
        self.head = nn.Sequential(nn.Linear(wide, WIDTH), nn.GELU(), nn.Dropout(dropout), nn.Linear(WIDTH, 1))

    def forward(self, cells: Graphs, features: Tensor) -> Tensor:
        """Return scores [B]; features is [B, F], and read only where their number was given."""
        hidden = self.dropout(self.norm(self.encoder(cells)))
        if self.analytic is not None:
            hidden = torch.cat([hidden, self.dropout(self.analytic(features))], 1)
        return self.head(hidden)[:, 0]


def ranking_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross-entropy over all pairs of a batch: that i is better than j, wanted against predicted."""
    wanted = torch.sigmoid(_SHARPNESS * (targets[:, None] - targets))
    return binary_cross_entropy_with_logits(_SHARPNESS * (scores[:, None] - scores), wanted)


@dataclass(frozen=True)
class _Fit:
    """How a scorer is fitted: `regularised` has more dropout and decay, and the encoder has a rate of its own."""

    loss: Callable[[Tensor, Tensor], Tensor]
    steps: int
    encoder_rate: float
    regularised: bool


class Network:
    """A scorer that starts from a copy of `encoder`; `with_features` it reads the analytic features too."""

    def __init__(self, space: Space, encoder: Encoder, with_features: bool) -> None:
        self._space, self._encoder, self._with_features = space, encoder, with_features

    def fit(self, rows: np.ndarray, labels: np.ndarray, seed: int) -> Self:
        """Rank the normal scores of the labels; see `Predictor.fit`. The encoder learns at half the rate."""
        steps = int(_STEPS * max(1.0, (len(rows) / _STEPS_AT) ** _STEPS_GROWTH))
        how = _Fit(ranking_loss, steps, encoder_rate=0.5 * _RATE, regularised=len(rows) < _LESS_REGULARISED_AT)
        return self._train(rows, normal_scores(rows, labels), seed, how)

    def distil(self, rows: np.ndarray, scores: np.ndarray, seed: int, steps: int) -> Self:
        """Learn by squared error, in so many steps, the scores [N] that another predictor gives cells `rows` [N]."""
        return self._train(rows, scores, seed, _Fit(mse_loss, steps, encoder_rate=_RATE, regularised=False))

    def predict(self, rows: np.ndarray, space: Space | None = None) -> np.ndarray:
        """Return scores, float32 [rows]; see `Predictor.predict`."""
        space, parts = space or self._space, [np.empty(0, dtype=np.float32)]
        with torch.inference_mode():
            for start in range(0, len(rows), _CHUNK):
                part = rows[start : start + _CHUNK]
                features = torch.from_numpy(space.features[part])
                parts.append(self._scorer(graphs_of(space, part), features).numpy())
        return np.concatenate(parts)

    def _train(self, rows: np.ndarray, targets: np.ndarray, seed: int, how: _Fit) -> Self:
        dropout, decay = (0.2, 0.05) if how.regularised else (0.1, 0.02)
        cells, features = graphs_of(self._space, rows), torch.from_numpy(self._space.features[rows])
        wanted = torch.from_numpy(np.asarray(targets, dtype=np.float32))
        encoder = copy.deepcopy(self._encoder)
        encoder.dropout.p = _ENCODER_DROPOUT
        # Dropout draws from torch's own stream.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(seed, "network"))
            scorer = RankingHead(encoder, features.shape[1] if self._with_features else 0, dropout)
            slow = list(encoder.parameters())
            fast = [value for name, value in scorer.named_parameters() if not name.startswith("encoder.")]
            rates = [how.encoder_rate, _RATE]
            optimiser = torch.optim.AdamW([{"params": slow}, {"params": fast}], lr=_RATE, weight_decay=decay)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, total_steps=how.steps, pct_start=0.1)
            for _ in range(how.steps):
                drawn = torch.randperm(len(rows))[:_BATCH]
                adjacency, kinds, mask, last = (part[drawn] for part in cells)
                value = how.loss(scorer((adjacency, kinds, mask, last), features[drawn]), wanted[drawn])
                optimiser.zero_grad()
                value.backward()
                optimiser.step()
                schedule.step()
        self._scorer = scorer.eval()
        return self


RECIPE = Recipe(
    build=lambda space, arrays, _: Network(space, encoders_of(space, arrays, 1)[0], with_features=True),
    pretrain=lambda space, seed: pretrain_encoders(space, seed, count=1),
)
