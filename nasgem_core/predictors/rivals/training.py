"""A network fitted to the normal scores of labels, from its own starting point: what the neural rivals share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from nasgem_core.predictors.predictor import normal_scores
from nasgem_core.predictors.rivals.losses import loss_named
from nasgem_core.predictors.space import Space
from nasgem_core.seeding import derive_seed

_STEPS_AT, _STEPS_GROWTH = 424, 0.5
"""From so many labels on, the steps grow with this power of their number."""
_CHUNK = 4096

Inputs = tuple[Tensor, ...]
"""Tensors [B, ...] that a network reads of B cells."""


@dataclass(frozen=True)
class FitSettings:
    """How a network is fitted: AdamW, its rate rising for a tenth of the steps and falling after.

    Args:
        loss: a name of `nasgem_core.predictors.rivals.losses.LOSSES`.
        rate: the highest learning rate.
        decay: weight decay.
        steps: optimiser steps at up to 424 labels.
        batch: cells per step, drawn without repetition.
    """

    loss: str
    rate: float
    decay: float
    steps: int
    batch: int = 64


class TrainedNetwork:
    """A predictor made of one network.

    Args:
        space: the cells.
        read: gives what the network reads of the cells `rows`.
        network: makes a network from `Inputs` to scores [B]; called for each fit.
        settings: how it is fitted.

    Raises:
        ParameterError: there is no such loss.
    """

    def __init__(
        self,
        space: Space,
        read: Callable[[Space, np.ndarray], Inputs],
        network: Callable[[], nn.Module],
        settings: FitSettings,
    ) -> None:
        self._space, self._read, self._make, self._settings = space, read, network, settings
        self._loss = loss_named(settings.loss)

    def fit(self, rows: np.ndarray, labels: np.ndarray, seed: int) -> Self:
        """Fit to the normal scores of the labels; see `Predictor.fit`."""
        wanted = torch.from_numpy(normal_scores(rows, labels)).float()
        settings, inputs = self._settings, self._read(self._space, rows)
        steps = int(settings.steps * max(1.0, (len(rows) / _STEPS_AT) ** _STEPS_GROWTH))
        # Starting points and dropout draw from torch's own stream.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(seed, "rival"))
            network = self._make()
            optimiser = torch.optim.AdamW(network.parameters(), lr=settings.rate, weight_decay=settings.decay)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.rate, total_steps=steps, pct_start=0.1)
            for _ in range(steps):
                drawn = torch.randperm(len(rows))[: settings.batch]
                loss = self._loss(network(*(part[drawn] for part in inputs)), wanted[drawn])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
        self._network = network.eval()
        return self

    def predict(self, rows: np.ndarray, space: Space | None = None) -> np.ndarray:
        """Return scores, float32 [rows]; see `Predictor.predict`."""
        space, parts = space or self._space, [np.empty(0, dtype=np.float32)]
        with torch.inference_mode():
            for start in range(0, len(rows), _CHUNK):
                inputs = self._read(space, rows[start : start + _CHUNK])
                parts.append(self._network(*inputs).numpy())
        return np.concatenate(parts)
