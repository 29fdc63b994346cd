"""Stage `bootstrap` (paper 3.3): predict very many cells, train the best, choose; random search stands beside it."""

from typing import Any

import numpy as np
import pandas as pd

from flows.runtime.session import Session, stage_flow
from flows.stages.estimator import random_stream
from flows.stages.train_cells import train_cells
from nasgem_core.cells.cell import Cell
from nasgem_core.search.ranking import rank_correlation
from nasgem_core.seeding import derive_seed
from tasks.mlflow_runs.records import finite
from tasks.stages.bootstrap import bootstrap_task, candidate_cells
from tasks.stages.encoder import GUIDED, encoder_value, read_encoder
from tasks.stages.predictor import predictor_value, read_predictor
from tasks.stages.scorer import PERCEPTRON, ScorerValue, read_scorer
from tasks.stages.trained import (
    BASELINE,
    BOOTSTRAP_FILE,
    ESTIMATOR_FILE,
    TOP,
    best_row,
    read_trained,
    trained_table,
    write_trained,
)
from tasks.store.artifacts import DATA, METRICS, read_json, write_json

METRICS_FILE = METRICS / "bootstrap.json"
BEST_CELL_FILE = DATA / "bootstrap" / "best_cell.json"


@stage_flow("bootstrap")
def bootstrap(session: Session) -> None:
    """Read data/encoder and data/estimator, write data/bootstrap."""
    config = session.config
    known = read_trained(ESTIMATOR_FILE)
    found = find_candidates(session, known)
    rows = train_cells(
        session, candidate_cells(found), "bootstrap", TOP, config.estimator.rounds + 1, found["predicted"]
    )
    searched = pd.concat([known, trained_table(rows)], ignore_index=True)
    baseline = _random_search(session, searched) if config.bootstrap.baseline else []
    write_trained(BOOTSTRAP_FILE, trained_table([*rows, *baseline]))
    best = searched.iloc[best_row(searched)]
    write_json(BEST_CELL_FILE, "nasgem.best_cell/1", {"cell": Cell.from_json(best["cell"]).to_dict()})
    summary = _summary(searched, trained_table(rows), trained_table(baseline), found)
    write_json(METRICS_FILE, "nasgem.metrics/1", summary)
    session.records.stage("bootstrap", finite(summary), artifacts=[METRICS_FILE, BEST_CELL_FILE, BOOTSTRAP_FILE])


def find_candidates(session: Session, known: pd.DataFrame) -> dict[str, Any]:
    """Return the best predicted cells that were not trained yet."""
    config = session.config
    return bootstrap_task(
        _read_scorer(config.predictor.kind),
        config.cells,
        session.layout,
        len(session.images.classes),
        config.bootstrap.candidates,
        config.bootstrap.top,
        config.score.penalty,
        0,
        sorted(known["key"]),
        derive_seed(config.seed, "bootstrap"),
        session.cost.value,
    )


def _read_scorer(kind: str) -> ScorerValue:
    if kind == PERCEPTRON:
        return {"encoder": encoder_value(read_encoder(GUIDED)), "predictor": predictor_value(read_predictor())}
    return read_scorer(kind)


def _random_search(session: Session, searched: pd.DataFrame) -> list[dict[str, Any]]:
    """Train as many random cells as the search trained; those that both drew are trained once."""
    stream = random_stream(session, len(searched))
    return train_cells(session, stream, "bootstrap", BASELINE, 0)


def read_best_cell() -> Cell:
    """Read the chosen cell; raises `DataError` when the file is missing or foreign."""
    return Cell.from_dict(read_json(BEST_CELL_FILE, "nasgem.best_cell/1")["cell"])


def _summary(
    searched: pd.DataFrame, top: pd.DataFrame, baseline: pd.DataFrame, found: dict[str, Any]
) -> dict[str, Any]:
    best = searched.iloc[best_row(searched)]
    usable = top[~top["failed"]]
    summary: dict[str, Any] = {
        "best_score": float(best["score"]),
        "best_accuracy": float(best["accuracy"]),
        "best_macs": int(best["macs"]),
        "best_params": int(best["params"]),
        "trained_cells": len(searched),
        "failed_cells": int(searched["failed"].sum()),
        "candidates": int(found["sampled"]),
        "best_predicted": float(np.max(found["predicted"])),
        "mean_predicted": float(found["score_mean"]),
        **{
            f"top_{k}": v
            for k, v in rank_correlation(usable["predicted"].to_numpy(), usable["score"].to_numpy()).items()
        },
    }
    if len(baseline):
        chance = baseline.iloc[best_row(baseline)]
        summary |= {
            "random_best_score": float(chance["score"]),
            "random_best_accuracy": float(chance["accuracy"]),
            "random_best_macs": int(chance["macs"]),
            "random_cells": len(baseline),
            "margin_over_random": float(best["score"] - chance["score"]),
        }
    return summary
