"""What bootstrap optimisation asks for predicted scores: cells in, efficiency scores out."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.encoders.fitted import FittedEncoder
from nasgem_core.search.perceptron import FittedPredictor


class Scorer(Protocol):
    """Anything that predicts the efficiency scores of cells."""

    @property
    def needs_costs(self) -> bool:
        """Whether `score` reads the costs."""

    def score(self, cells: CellBatch, costs: np.ndarray | None, penalty: float) -> np.ndarray:
        """Return the predicted efficiency scores, float32 [B]; see `nasgem_core.search.target.Target.scores`."""


@dataclass(frozen=True)
class EmbeddingScorer:
    """The paper's P(E(cell)): a predictor on embeddings.

    Args:
        encoder: E.
        predictor: P, fitted on embeddings of this encoder.
    """

    encoder: FittedEncoder
    predictor: FittedPredictor

    @property
    def needs_costs(self) -> bool:
        """Whether `score` reads the costs."""
        return self.predictor.needs_costs

    def score(self, cells: CellBatch, costs: np.ndarray | None, penalty: float) -> np.ndarray:
        """Return the predicted efficiency scores, float32 [B]."""
        return self.predictor.predict(self.encoder.embed(cells), costs, penalty)
