"""Task "predictor fit" (paper 3.2): from embeddings of trained cells to their efficiency scores."""

from typing import Any

from nasgem_core.cells.batch import CellBatch
from nasgem_core.config.search import PredictorConfig
from nasgem_core.search.perceptron import SCHEMA, FittedPredictor, fit_perceptron
from nasgem_core.search.score import Measured
from tasks.stages.encoder import encoder_of
from tasks.store.artifacts import DATA, read_weights, write_weights
from tasks.store.caching import cached_task

PREDICTOR_FILE = DATA / "estimator" / "predictor.safetensors"


@cached_task("predictor fit")
def fit_predictor_task(
    encoder: dict[str, Any], cells: CellBatch, measured: Measured, config: PredictorConfig, seed: int
) -> dict[str, Any]:
    """Fit one predictor; returns its weights and metadata.

    It takes cells and not their embeddings, whose last digits may change with the number of threads: the key must not.
    """
    embeddings = encoder_of(encoder).embed(cells)
    return predictor_value(fit_perceptron(embeddings, measured, config, seed))


def predictor_of(value: dict[str, Any]) -> FittedPredictor:
    """Return the predictor that `fit_predictor_task` returned."""
    return FittedPredictor.from_arrays(value["weights"], value["metadata"])


def predictor_value(predictor: FittedPredictor) -> dict[str, Any]:
    """Return a predictor in the form that tasks pass on."""
    weights, metadata = predictor.to_arrays()
    return {"weights": weights, "metadata": metadata}


def write_predictor(value: dict[str, Any]) -> None:
    """Write the predictor of the last round."""
    write_weights(PREDICTOR_FILE, SCHEMA, value["weights"], value["metadata"])


def read_predictor() -> FittedPredictor:
    """Read the predictor of the last round; raises `DataError` when its file is missing or foreign."""
    weights, metadata = read_weights(PREDICTOR_FILE, SCHEMA)
    return FittedPredictor.from_arrays(weights, {"schema": SCHEMA, **metadata})
