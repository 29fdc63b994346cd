"""Stage `bootstrap` (paper 3.3): predict very many cells, train the best, choose; then random search to compare."""

from typing import Any

import numpy as np

from flows.runtime.session import Session, stage_flow
from flows.stages.estimator import random_stream
from flows.stages.train_cells import Source, train_cells
from nasgem_core.search.ranking import rank_correlation
from nasgem_core.seeding import derive_seed
from tasks.mlflow_runs.records import finite
from tasks.stages.best_cell import BEST_CELL_FILE, write_best_cell
from tasks.stages.bootstrap import Draw, Found, bootstrap_task
from tasks.stages.encoder import GUIDED, encoder_value, read_encoder
from tasks.stages.objective import objective_value
from tasks.stages.predictor import predictor_value, read_predictor
from tasks.stages.scorer import PERCEPTRON, ScorerValue, read_scorer
from tasks.stages.trained import (
    BASELINE,
    BOOTSTRAP_FILE,
    ESTIMATOR_FILE,
    TOP,
    TrainedCells,
    read_trained,
    write_trained,
)
from tasks.store.artifacts import METRICS, write_json

METRICS_FILE = METRICS / "bootstrap.json"


@stage_flow("bootstrap")
def bootstrap(session: Session) -> None:
    """Read data/encoder and data/estimator, write data/bootstrap."""
    config = session.config
    known = read_trained(ESTIMATOR_FILE, config.cells.operations, config.cells.vertices)
    found = find_candidates(session, known)
    top = train_cells(session, found.cells, Source("bootstrap", TOP, config.estimator.rounds + 1), found.predicted)
    searched = TrainedCells.concatenate([known, top])
    baseline = _random_search(session, len(searched)) if config.bootstrap.baseline else TrainedCells.none(config.cells)
    write_trained(BOOTSTRAP_FILE, TrainedCells.concatenate([top, baseline]))
    write_best_cell(searched.cells.cell(searched.best))
    summary = {**_summary(searched, top, found), **_comparison(searched, baseline)}
    write_json(METRICS_FILE, "nasgem.metrics/1", summary)
    session.records.stage("bootstrap", finite(summary), artifacts=[METRICS_FILE, BEST_CELL_FILE, BOOTSTRAP_FILE])


def find_candidates(session: Session, known: TrainedCells) -> Found:
    """Return the best predicted cells that were not trained yet."""
    config = session.config
    draw = Draw(config.bootstrap.candidates, config.bootstrap.top, derive_seed(config.seed, "bootstrap"))
    return Found.of(
        bootstrap_task(
            scorer=_read_scorer(config.predictor.kind),
            space=config.cells,
            objective=objective_value(session.objective),
            draw=draw,
            trained=sorted(known.key),
        )
    )


def _read_scorer(kind: str) -> ScorerValue:
    if kind == PERCEPTRON:
        return {"encoder": encoder_value(read_encoder(GUIDED)), "predictor": predictor_value(read_predictor())}
    return read_scorer(kind)


def _random_search(session: Session, count: int) -> TrainedCells:
    """Train as many random cells as the search trained; those that both drew are trained once."""
    return train_cells(session, random_stream(session, count), Source("bootstrap", BASELINE))


def _summary(searched: TrainedCells, top: TrainedCells, found: Found) -> dict[str, Any]:
    best, usable = searched.row(searched.best), top.usable
    return {
        "best_score": best["score"],
        "best_accuracy": best["accuracy"],
        **_costs("best", searched),
        "best_params": best["params"],
        "trained_cells": len(searched),
        "failed_cells": int(searched.failed.sum()),
        "candidates": found.sampled,
        "best_predicted": float(np.max(found.predicted)),
        "mean_predicted": found.score_mean,
        **{f"top_{name}": value for name, value in rank_correlation(usable.predicted, usable.score).items()},
    }


def _comparison(searched: TrainedCells, baseline: TrainedCells) -> dict[str, Any]:
    """Return what random search found, empty where there is none."""
    if not len(baseline):
        return {}
    best, chance = searched.row(searched.best), baseline.row(baseline.best)
    return {
        "random_best_score": chance["score"],
        "random_best_accuracy": chance["accuracy"],
        **_costs("random_best", baseline),
        "random_cells": len(baseline),
        "margin_over_random": best["score"] - chance["score"],
    }


def _costs(name: str, trained: TrainedCells) -> dict[str, Any]:
    """Return the MACs of the best cell, and what else the objective says of it."""
    best = trained.row(trained.best)
    return {f"{name}_{column}": best[column] for column in ("macs", *trained.columns)}
