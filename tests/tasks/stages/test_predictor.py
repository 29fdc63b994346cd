import numpy as np
import pytest

from nasgem_core.cells.sampling import sample_distinct_cells
from nasgem_core.config.search import CellsConfig, EncoderConfig, LabelsConfig, PairsConfig, PredictorConfig
from nasgem_core.search.perceptron import fit_perceptron
from nasgem_core.search.score import Measured
from tasks.run.placement import Placement
from tasks.stages.encoder import encoder_of, fit_encoder_task
from tasks.stages.labels import label_pairs
from tasks.stages.pairs import generate_pairs
from tasks.stages.predictor import fit_predictor_task, predictor_of, read_predictor, write_predictor

SPACE = CellsConfig(vertices=6)
CELLS = sample_distinct_cells(SPACE, 10, 0)
MEASURED = Measured(np.linspace(0.3, 0.6, 10), np.full(10, 10**6), 0.1)
CONFIG = PredictorConfig(hidden=(8,), iterations=10, members=2)


@pytest.fixture(scope="module")
def encoder():
    packed = generate_pairs.fn(SPACE, PairsConfig(count=100), 3)
    similarity = label_pairs.fn(packed, LabelsConfig())["similarity"]
    config = EncoderConfig(dimension=4, hidden=(8,), iterations=5, batch_size=32)
    return fit_encoder_task.fn(packed, similarity, config, 1, Placement())


def test_it_is_fitted_to_the_embeddings_of_the_cells(encoder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    value = fit_predictor_task.fn(encoder, CELLS, MEASURED, CONFIG, 4)
    embeddings = encoder_of(encoder).embed(CELLS)
    expected = fit_perceptron(embeddings, MEASURED, CONFIG, 4).predict(embeddings, None, 0.1)
    assert np.array_equal(predictor_of(value).predict(embeddings, None, 0.1), expected)
    write_predictor(value)
    assert np.array_equal(read_predictor().predict(embeddings, None, 0.1), expected)
