"""The paper's recipe on a tabular space: an autoencoder fitted to unlabelled cells, and a network on its embeddings.

Kernel, encoder and predictor are those of the search, with what the paper fixes: 50,000 pairs, 10,000 iterations,
d = 32, fully connected with ReLU, squared error. Guided by the kernel (Eq. 4) it is the paper's NASGEM, with a
similarity weight of 0 it is a plain autoencoder. Our choices are the pairs, which are cells of the table, h, and
the targets, the normal scores of the accuracies as in all predictors here: squared error on accuracies themselves is
ruled by failed trainings.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Self

import numpy as np

from nasgem_core.config.search import EncoderConfig, PredictorConfig
from nasgem_core.encoders.fitted import FittedEncoder
from nasgem_core.encoders.fitting import fit_encoder
from nasgem_core.errors import DataError
from nasgem_core.kernel.wl import wl_similarity
from nasgem_core.predictors.embedding_report import embedding_report
from nasgem_core.predictors.predictor import normal_scores
from nasgem_core.predictors.recipe import Recipe
from nasgem_core.predictors.rivals.pairs import space_pairs
from nasgem_core.predictors.space import Space
from nasgem_core.search.perceptron import FittedPredictor, fit_perceptron
from nasgem_core.search.score import Measured
from nasgem_core.seeding import derive_seed

PAIRS, INDEPENDENT, MAX_EDITS = 50_000, 0.25, 4
ITERATIONS = 1
"""h of the kernel; the paper gives none. In cells of 7 vertices two iterations see nearly all of a cell at once."""
_METADATA = "metadata"
"""The array that holds, as bytes of JSON, what an encoder needs besides its weights."""


def pretrain_encoder(space: Space, config: EncoderConfig, seed: int, pairs: int = PAIRS) -> dict[str, np.ndarray]:
    """Return an encoder fitted to pairs of the space's cells, as arrays for `EmbeddingNetwork`."""
    drawn = space_pairs(space, pairs, INDEPENDENT, MAX_EDITS, derive_seed(seed, "pairs"))
    similarity = wl_similarity(drawn.left, drawn.right, ITERATIONS)
    weights, metadata = fit_encoder(drawn, similarity, config, derive_seed(seed, "encoder")).to_arrays()
    return {**weights, _METADATA: np.frombuffer(json.dumps(metadata).encode(), dtype=np.uint8)}


class EmbeddingNetwork:
    """The search's predictor on embeddings of cells.

    Args:
        space: the cells.
        arrays: what `pretrain_encoder` returned for this space.
        config: of the predictor.

    Raises:
        DataError: the arrays are not an encoder.
    """

    def __init__(self, space: Space, arrays: Mapping[str, np.ndarray], config: PredictorConfig) -> None:
        self._space, self._config = space, config
        try:
            metadata = json.loads(arrays[_METADATA].tobytes())
        except (KeyError, ValueError):
            raise DataError("the arrays are not an encoder: pre-train on the space again") from None
        weights = {name: array for name, array in arrays.items() if name != _METADATA}
        self.encoder = FittedEncoder.from_arrays(weights, metadata)

    def fit(self, rows: np.ndarray, labels: np.ndarray, seed: int) -> Self:
        """Fit to the normal scores of the labels by squared error; see `Predictor.fit`."""
        scores = normal_scores(rows, labels)
        # The search's predictor takes fractions and standardises them: any straight line gives the same network.
        share = (scores - scores.min()) / (scores.max() - scores.min())
        measured = Measured(share, np.ones(len(rows)), penalty=0.0)
        self.network: FittedPredictor = fit_perceptron(
            self._embed(rows, self._space), measured, self._config, derive_seed(seed, "rival")
        )
        return self

    def predict(self, rows: np.ndarray, space: Space | None = None) -> np.ndarray:
        """Return predicted shares of the range of the normal scores, float32 [rows]; see `Predictor.predict`."""
        return self.network.predict(self._embed(rows, space or self._space), None, 0.0)

    def report(self, rows: np.ndarray, truth: np.ndarray) -> dict[str, float]:
        """Return what the paper says of embeddings in numbers; see `embedding_report`."""
        embeddings = self._embed(rows, self._space)
        return embedding_report(embeddings, self.predict(rows), truth, self.network.lipschitz_bound())

    def _embed(self, rows: np.ndarray, space: Space) -> np.ndarray:
        return self.encoder.embed(space.cells[rows])


_GUIDED = EncoderConfig(
    dimension=32,
    hidden=(256,),
    iterations=10_000,
    batch_size=256,
    learning_rate=1e-3,
    similarity_weight=1.0,
    reconstruction_weight=1.0,
    holdout=0.1,
)
_PLAIN = replace(_GUIDED, similarity_weight=0.0)
_PREDICTOR = PredictorConfig(
    kind="perceptron", target="score", hidden=(64, 64), iterations=2000, learning_rate=3e-3, weight_decay=3.0, members=1
)
"""As in the paper profile (profiles/paper.yaml), but for the weight decay."""
_PRETRAININGS = 3


GUIDED = Recipe(
    build=lambda space, arrays, _: EmbeddingNetwork(space, arrays, _PREDICTOR),
    pretrain=lambda space, seed: pretrain_encoder(space, _GUIDED, seed),
    pretrainings=_PRETRAININGS,
)
PLAIN = replace(GUIDED, pretrain=lambda space, seed: pretrain_encoder(space, _PLAIN, seed))
