import numpy as np

from nasgem_core.cells.sampling import sample_cells
from nasgem_core.config.search import CellsConfig, EncoderConfig, PairsConfig, PredictorConfig
from nasgem_core.encoders.fitting import fit_encoder
from nasgem_core.kernel.pairs import draw_pairs
from nasgem_core.kernel.wl import wl_similarity
from nasgem_core.search.perceptron import fit_perceptron
from nasgem_core.search.score import Measured
from nasgem_core.search.scorer import EmbeddingScorer

CELLS = CellsConfig(vertices=6)


def test_it_is_the_predictor_on_the_embedding():
    pairs = draw_pairs(CELLS, PairsConfig(count=100), 1)
    settings = EncoderConfig(dimension=6, hidden=(16,), iterations=3, batch_size=32)
    encoder = fit_encoder(pairs, wl_similarity(pairs.left, pairs.right, 2), settings, 1)
    cells = sample_cells(CELLS, 20, 2)
    macs = np.arange(1, 21) * 10**6
    accuracy = np.linspace(0.3, 0.6, 20)
    for target in ("score", "accuracy"):
        config = PredictorConfig(target=target, hidden=(8,), iterations=20, members=2)
        predictor = fit_perceptron(encoder.embed(cells), Measured(accuracy, macs, 0.1), config, 1)
        scorer = EmbeddingScorer(encoder, predictor)
        assert scorer.needs_costs == (target == "accuracy")
        expected = predictor.predict(encoder.embed(cells), macs, 0.1)
        assert np.array_equal(scorer.score(cells, macs, 0.1), expected)
