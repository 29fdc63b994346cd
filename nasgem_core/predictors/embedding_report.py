"""What guidance does to an embedding: Figure 1 and Equations 6 to 13 of the paper, in numbers."""

from typing import Protocol, runtime_checkable

import numpy as np

from nasgem_core.errors import DataError

REPORTED = ("similarity_correlation", "lipschitz_bound", "embedding_variance", "prediction_variance", "variance_bound")
_PAIRS = 20_000


@runtime_checkable
class Embedding(Protocol):
    """A predictor that goes by an embedding."""

    def report(self, rows: np.ndarray, truth: np.ndarray) -> dict[str, float]:
        """Return the `embedding_report` of the cells `rows` [B] with the true accuracies `truth` [B], once fitted."""


def embedding_report(
    embeddings: np.ndarray, predicted: np.ndarray, truth: np.ndarray, lipschitz: float
) -> dict[str, float]:
    """Return figures of B cells by name.

    - `similarity_correlation`: Spearman's rho of the cosine similarity of embeddings and the difference of true
      accuracies over 20,000 random pairs (Figure 1); the more negative, the better similar cells perform alike;
    - `lipschitz_bound`: K as given, an upper bound with |P(g) - P(g')| <= K |g - g'| (Eq. 6);
    - `embedding_variance`, `prediction_variance`: mean squared distance from the mean;
    - `variance_bound`: K^2 times the embeddings' variance, which the predictions' cannot exceed (Eq. 13).

    Args:
        embeddings: [B, d], B at least 2.
        predicted: [B].
        truth: [B] accuracies.
        lipschitz: K of the predictor.

    Raises:
        DataError: the lengths differ or there are fewer than two cells.
    """
    from scipy.stats import spearmanr

    cells = len(embeddings)
    if cells < 2 or not cells == len(predicted) == len(truth):
        raise DataError(f"{cells} embeddings, {len(predicted)} predictions, {len(truth)} accuracies: give as many each")
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, cells, _PAIRS), rng.integers(0, cells, _PAIRS)
    first, second = first[first != second], second[first != second]
    unit = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
    cosine = np.einsum("bd,bd->b", unit[first], unit[second])
    spread = float(np.square(embeddings - embeddings.mean(0)).sum(1).mean())
    return {
        "similarity_correlation": float(spearmanr(cosine, np.abs(truth[first] - truth[second])).statistic),
        "lipschitz_bound": float(lipschitz),
        "embedding_variance": spread,
        "prediction_variance": float(np.var(predicted)),
        "variance_bound": float(lipschitz) ** 2 * spread,
    }
