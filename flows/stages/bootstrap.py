"""Stage `bootstrap` (paper 3.3): predict very many cells, train the best, choose; then random search to compare.

Random search has as many trainings: of as many cells, and as many again to choose among the best of them.
"""

from collections import Counter
from typing import Any

import numpy as np

from flows.runtime.session import Session, stage_flow
from flows.stages.choice import Choice, choose_cell, noise_of
from flows.stages.possible_cells import random_stream, ruled_out_metrics, say_ruled_out
from flows.stages.train_cells import Source, train_cells
from nasgem_core.search.choice import Estimate, expected_margin
from nasgem_core.search.noise import Noise
from nasgem_core.search.ranking import rank_correlation
from nasgem_core.seeding import derive_seed
from tasks.mlflow_runs.records import finite
from tasks.stages.best_cell import BEST_CELL_FILE, write_best_cell
from tasks.stages.bootstrap import Draw, Found, best_candidates
from tasks.stages.encoder import GUIDED, encoder_value, read_encoder
from tasks.stages.predictor import predictor_value, read_predictor
from tasks.stages.scorer import PERCEPTRON, ScorerValue, read_scorer
from tasks.stages.trained import (
    BASELINE,
    BOOTSTRAP_FILE,
    ESTIMATOR_FILE,
    REPEATS_FILE,
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
    say_ruled_out("predicted cells", Counter(found.ruled_out))
    top = train_cells(session, found.cells, Source("bootstrap", TOP, config.estimator.rounds + 1), found.predicted)
    searched = TrainedCells.concatenate([known, top])
    choice = choose_cell(session, searched, config.bootstrap.finalists)
    chance = _random_search(session, choice) if config.bootstrap.baseline else None
    choices = [choice] if chance is None else [choice, chance]
    write_trained(BOOTSTRAP_FILE, TrainedCells.concatenate([top, *([] if chance is None else [chance.trained])]))
    write_trained(
        REPEATS_FILE, TrainedCells.concatenate([part for each in choices for part in (each.repeats, each.again)])
    )
    write_best_cell(choice.cell)
    summary = {**_summary(choice, top, found), **ruled_out_metrics(config.score, Counter(found.ruled_out))}
    summary |= {**_expectations(choice, chance), **_comparison(choice, chance)}
    write_json(METRICS_FILE, "nasgem.metrics/1", summary)
    files = [METRICS_FILE, BEST_CELL_FILE, BOOTSTRAP_FILE, REPEATS_FILE]
    session.records.stage("bootstrap", finite(summary), artifacts=files)


def find_candidates(session: Session, known: TrainedCells) -> Found:
    """Return the best predicted cells that were not trained yet."""
    config = session.config
    wanted, seed = config.bootstrap, derive_seed(config.seed, "bootstrap")
    draw = Draw(wanted.candidates, wanted.top, seed, edited=wanted.edited)
    return best_candidates(_read_scorer(config.predictor.kind), config.cells, session.objective, draw, known)


def _read_scorer(kind: str) -> ScorerValue:
    if kind == PERCEPTRON:
        return {"encoder": encoder_value(read_encoder(GUIDED)), "predictor": predictor_value(read_predictor())}
    return read_scorer(kind)


def _random_search(session: Session, choice: Choice) -> Choice:
    """Train as many random cells as the search trained and choose as it did; what both train is trained once."""
    drawn = random_stream(session, len(choice.trained))
    return choose_cell(
        session, train_cells(session, drawn.cells, Source("bootstrap", BASELINE)), len(choice.finalists), BASELINE
    )


def _summary(choice: Choice, top: TrainedCells, found: Found) -> dict[str, Any]:
    usable = top.usable
    return {
        "best_score": choice.row["score"],
        "best_accuracy": choice.row["accuracy"],
        **_costs("best", choice),
        "best_params": choice.row["params"],
        "trained_cells": len(choice.trained),
        "failed_cells": int(choice.trained.failed.sum()),
        "candidates": found.sampled,
        "best_predicted": float(np.max(found.predicted)),
        "mean_predicted": found.score_mean,
        **{f"top_{name}": value for name, value in rank_correlation(usable.predicted, usable.score).items()},
    }


def _expectations(choice: Choice, chance: Choice | None) -> dict[str, Any]:
    """Return what the repeated trainings say, empty where there are none."""
    if not len(choice.again):
        return {}
    noise = noise_of([choice] if chance is None else [choice, chance])
    return {
        "finalists": choice.table(),
        "repeated_trainings": choice.trainings,
        "repeat_noise": noise.deviation if noise else float("nan"),
        **_estimate("expected_score", choice.expected(noise)),
        "expected_accuracy": float(np.nanmean(choice.again.accuracy)) if len(choice.again.usable) else float("nan"),
        **({} if chance is None else _expected_of_random_search(choice, chance, noise)),
    }


def _expected_of_random_search(choice: Choice, chance: Choice, noise: Noise | None) -> dict[str, Any]:
    return {
        "random_finalists": chance.table(),
        **_estimate("random_expected_score", chance.expected(noise)),
        **_estimate("expected_margin", _margin(choice, chance, noise)),
    }


def _margin(choice: Choice, chance: Choice, noise: Noise | None) -> Estimate:
    if choice.row["key"] == chance.row["key"]:
        return Estimate(0.0, 0.0)
    return expected_margin(choice.again.score, chance.again.score, noise)


def _estimate(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.mean, f"{name}_half_width": estimate.half_width}


def _comparison(choice: Choice, chance: Choice | None) -> dict[str, Any]:
    """Return what random search found, empty where there is none."""
    if chance is None:
        return {}
    return {
        "random_best_score": chance.row["score"],
        "random_best_accuracy": chance.row["accuracy"],
        **_costs("random_best", chance),
        "random_cells": len(chance.trained),
        "margin_over_random": choice.row["score"] - chance.row["score"],
    }


def _costs(name: str, choice: Choice) -> dict[str, Any]:
    """Return the MACs of the chosen cell, and what else the objective says of it."""
    return {f"{name}_{column}": choice.row[column] for column in ("macs", *choice.trained.columns)}
