"""The predictor that picks cells, by `predictor.kind`: a process on a cell's features, or the paper's on embeddings."""

from typing import Any

import numpy as np

from nasgem_core.cells.cell import CellBatch
from nasgem_core.config import CellsConfig, PredictorConfig
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.predictors.notation import free_notation
from nasgem_core.predictors.process_scorer import SCHEMA, ProcessScorer, fit_process
from nasgem_core.search.scorer import EmbeddingScorer, Scorer
from tasks.artifacts import DATA, read_weights, write_weights
from tasks.caching import cached_task
from tasks.encoder import encoder_of
from tasks.predictor import fit_predictor_task, predictor_of

PROCESS_FILE = DATA / "estimator" / "process.safetensors"
PERCEPTRON, PROCESS = "perceptron", "gaussian_process"

ScorerValue = dict[str, Any]
"""A scorer in the form that tasks pass on: `process`, or `encoder` and `predictor`."""


def check_kind(config: PredictorConfig, law: CellsConfig) -> None:
    """Raise `ParameterError` where the predictor cannot read cells of this law: better before any cell is trained."""
    if config.kind == PROCESS:
        try:
            free_notation(law.operations)
        except DataError as error:
            raise ParameterError(
                f"predictor.kind = {config.kind!r} cannot read these cells, {error}: set it to {PERCEPTRON!r}, or name "
                "fewer in cells.operations"
            ) from None


@cached_task("process fit")
def fit_process_task(
    cells: CellBatch, accuracy: np.ndarray, macs: np.ndarray, law: CellsConfig, target: str, penalty: float, seed: int
) -> dict[str, Any]:
    """Fit a process to trained cells; returns its arrays and metadata."""
    arrays, metadata = fit_process(cells, accuracy, macs, law, target, penalty, seed).to_arrays()
    return {"weights": arrays, "metadata": metadata}


def fit_scorer(
    encoder: dict[str, Any],
    cells: CellBatch,
    accuracy: np.ndarray,
    macs: np.ndarray,
    config: PredictorConfig,
    law: CellsConfig,
    penalty: float,
    seed: int,
) -> ScorerValue:
    """Fit the predictor of the kind that the parameters name to trained cells."""
    if config.kind == PROCESS:
        return {"process": fit_process_task(cells, accuracy, macs, law, config.target, penalty, seed)}
    return {
        "encoder": encoder,
        "predictor": fit_predictor_task(encoder, cells, accuracy, macs, config, penalty, seed),
    }


def scorer_of(value: ScorerValue) -> Scorer:
    """Return the scorer that `fit_scorer` put out."""
    if "process" in value:
        return ProcessScorer.from_arrays(value["process"]["weights"], value["process"]["metadata"])
    return EmbeddingScorer(encoder_of(value["encoder"]), predictor_of(value["predictor"]))


def write_process(value: ScorerValue) -> None:
    """Write the process of the last round; where the paper's predictor picks there is none, nor an older one left."""
    if "process" in value:
        write_weights(PROCESS_FILE, SCHEMA, value["process"]["weights"], value["process"]["metadata"])
    else:
        PROCESS_FILE.unlink(missing_ok=True)


def read_process() -> ScorerValue:
    """Read the process of the last round; raises `DataError` when its file is missing or foreign."""
    weights, metadata = read_weights(PROCESS_FILE, SCHEMA)
    return {"process": {"weights": weights, "metadata": {"schema": SCHEMA, **metadata}}}
