"""The predictor that picks cells, by `predictor.kind`: the paper's on embeddings, or one that reads the cells.

A process is stored as it was fitted; the other predictors of the catalogue as what they are fitted from.
"""

from typing import Any

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.config.search import CellsConfig, SearchConfig
from nasgem_core.errors import DataError
from nasgem_core.predictors import catalogue_scorer, process_scorer
from nasgem_core.predictors.catalogue import PERCEPTRON, PREDICTORS
from nasgem_core.predictors.catalogue_scorer import TrainingSet, fit_catalogue_scorer
from nasgem_core.predictors.fitting import pretrain_kind
from nasgem_core.predictors.process_scorer import EarlierSearch, ProcessScorer, fit_process
from nasgem_core.search.score import Measured
from nasgem_core.search.scorer import EmbeddingScorer, Scorer
from nasgem_core.seeding import derive_seed
from tasks.stages.earlier import PROCESS, earlier_searches
from tasks.stages.encoder import encoder_of
from tasks.stages.predictor import fit_predictor_task, predictor_of
from tasks.store.artifacts import DATA, read_weights, write_weights
from tasks.store.caching import cached_task
from tasks.store.fingerprint import registered_source

SCORER_FILE = DATA / "estimator" / "scorer.safetensors"

ScorerValue = dict[str, Any]
"""A scorer in the form that tasks pass on: `process` or `training_set`, or `encoder` and `predictor`."""


@cached_task("process fit")
def fit_process_task(
    cells: CellBatch,
    measured: Measured,
    space: CellsConfig,
    target: str,
    seed: int,
    *,
    earlier: tuple[EarlierSearch, ...] = (),
) -> dict[str, Any]:
    """Fit a process to trained cells, and those of earlier searches; returns its arrays and metadata."""
    arrays, metadata = fit_process(cells, measured, space, target, seed, earlier=earlier).to_arrays()
    return {"weights": arrays, "metadata": metadata}


@cached_task("scorer pre-training")
def pretrain_task(kind: str, source: str, space: CellsConfig, seed: int) -> dict[str, Any]:
    """Pre-train a predictor of the catalogue, whose source has this fingerprint, on cells without labels."""
    return pretrain_kind(kind, space, seed)


def fit_scorer(
    config: SearchConfig, cells: CellBatch, measured: Measured, *, encoder: dict[str, Any], seed: int
) -> ScorerValue:
    """Fit the predictor of the kind that the parameters name to trained cells.

    Args:
        config: which predictor, the space it reads, and the root seed: what is learned without labels is learned once
            for all fits.
        cells: N trained cells.
        measured: their accuracies and costs.
        encoder: the guided one, for the paper's predictor.
        seed: of this fit.
    """
    kind, target = config.predictor.kind, config.predictor.target
    if kind == PROCESS:
        earlier = earlier_searches(config)
        return {"process": fit_process_task(cells, measured, config.cells, target, seed, earlier=earlier)}
    if kind == PERCEPTRON:
        fitted = fit_predictor_task(encoder, cells, measured, config.predictor, seed)
        return {"encoder": encoder, "predictor": fitted}
    once = derive_seed(config.seed, "predictor")
    pretrained = pretrain_task(kind, _source(kind), config.cells, once)
    arrays, metadata = TrainingSet(kind, cells, measured, config.cells, target, pretrained, once).to_arrays()
    return _training_set_value(kind, arrays, metadata)


def _training_set_value(kind: str, weights: dict[str, np.ndarray], metadata: dict[str, Any]) -> ScorerValue:
    """Add the source of the predictor: it is imported by name, so no task's own source covers it."""
    return {"training_set": {"weights": weights, "metadata": metadata, "source": _source(kind)}}


def _source(kind: str) -> str:
    return registered_source(PREDICTORS, kind)


@cached_task("prediction")
def predict_task(scorer: ScorerValue, cells: CellBatch, costs: np.ndarray, penalty: float) -> dict[str, Any]:
    """Predict the scores of cells."""
    return {"predicted": scorer_of(scorer).score(cells, costs, penalty)}


def scorer_of(value: ScorerValue) -> Scorer:
    """Return the scorer that `fit_scorer` returned; one of the catalogue is fitted here, which takes its time."""
    if "process" in value:
        return ProcessScorer.from_arrays(value["process"]["weights"], value["process"]["metadata"])
    if "training_set" in value:
        known = value["training_set"]
        return fit_catalogue_scorer(TrainingSet.from_arrays(known["weights"], known["metadata"]))
    return EmbeddingScorer(encoder_of(value["encoder"]), predictor_of(value["predictor"]))


def write_scorer(value: ScorerValue) -> None:
    """Write the scorer of the last round. The paper's predictor has a file of its own: an older scorer is deleted."""
    kept = value.get("process") or value.get("training_set")
    if kept:
        write_weights(SCORER_FILE, kept["metadata"]["schema"], kept["weights"], kept["metadata"])
    else:
        SCORER_FILE.unlink(missing_ok=True)


def read_scorer(kind: str) -> ScorerValue:
    """Read the scorer of the last round, of any kind but the paper's.

    Raises:
        DataError: its file is missing, foreign or of another kind.
    """
    schema = process_scorer.SCHEMA if kind == PROCESS else catalogue_scorer.SCHEMA
    weights, metadata = read_weights(SCORER_FILE, schema)
    metadata = {"schema": schema, **metadata}
    if kind == PROCESS:
        return {"process": {"weights": weights, "metadata": metadata}}
    if metadata["kind"] != kind:
        raise DataError(
            f"{SCORER_FILE} is of kind {metadata['kind']!r} and predictor.kind is {kind!r}: run stage estimator again"
        )
    return _training_set_value(kind, weights, metadata)
