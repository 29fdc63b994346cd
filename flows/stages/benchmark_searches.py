"""Part of the stage `benchmark`: searches of tables with a budget of noisy queries."""

from typing import Any

import numpy as np

from flows.runtime.session import Session
from flows.runtime.side_by_side import run_side_by_side
from nasgem_core.predictors.catalogue import PREDICTORS
from nasgem_core.seeding import derive_seed
from tasks.benchmark.search import PAPER, PAPER_PREDICTOR, SEARCHES, is_searched, search_table
from tasks.benchmark.trial import Trial, trial_of
from tasks.run.progress import progress_bar

Pretrained = dict[tuple[Trial, int], dict[str, np.ndarray]]
"""What the predictor of a trial knows before any label, by trial and number of the pre-training."""


def searched_tables(session: Session) -> list[Trial]:
    """Return each table that is searched, with the predictor that the paper's search fits."""
    config = session.config.benchmark
    if not config.searches:
        return []
    return [trial_of(table, PAPER_PREDICTOR) for table in config.tables if is_searched(table)]


def search_tables(session: Session, searched: list[Trial], pretrained: Pretrained) -> list[dict[str, Any]]:
    """Run every kind of search on each table as often as params.yaml asks; return one row per search."""
    config = session.config.benchmark
    rows: list[dict[str, Any]] = []
    runs = [(trial, name, i) for i in range(config.searches) for trial in searched for name in SEARCHES]
    if not runs:
        return rows
    pretrainings = PREDICTORS.get(PAPER_PREDICTOR).pretrainings
    inputs = [
        {
            "name": name,
            "trial": trial,
            "pretrained": pretrained[trial, number % pretrainings] if name == PAPER else {},
            "budget": config.queries,
            "seed": derive_seed(session.config.seed, "table search", number),
        }
        for trial, name, number in runs
    ]

    def on_result(index: int, result: dict[str, Any]) -> None:
        trial, name, number = runs[index]
        rows.append({"place": index, "table": trial.table, "search": name, "number": number, **result})
        del left[index]
        bar.at = next(iter(left.values()), "")
        bar.update(len(rows), {name: result["picked_accuracy"]})

    left = {index: f"{name} on {trial.table}" for index, (trial, name, _) in enumerate(runs)}
    with progress_bar("searches of tables", len(runs)) as bar:
        bar.at = left[0]
        run_side_by_side(session.engine, search_table, inputs, on_result)
    return sorted(rows, key=lambda row: row.pop("place"))
