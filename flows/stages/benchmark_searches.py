"""Part of the stage `benchmark`: searches of tables with a budget of noisy queries."""

from typing import Any

import numpy as np

from flows.runtime.session import Session
from flows.runtime.side_by_side import run_side_by_side
from nasgem_core.predictors.catalogue import PREDICTORS
from nasgem_core.seeding import derive_seed
from tasks.benchmark.search import PAPER, PAPER_PREDICTOR, SEARCHED, SEARCHES, search_table
from tasks.benchmark.trial import Subject, subject_of
from tasks.run.progress import progress_bar

Pretrained = dict[tuple[Subject, int], dict[str, np.ndarray]]


def searched_subjects(session: Session) -> list[Subject]:
    """Return, for each table that is searched, the predictor that the paper's search fits."""
    config = session.config.benchmark
    if not config.searches:
        return []
    return [subject_of(table, PAPER_PREDICTOR) for table in config.tables if table in SEARCHED]


def search_tables(session: Session, subjects: list[Subject], pretrained: Pretrained) -> list[dict[str, Any]]:
    """Run every kind of search on each table as often as params.yaml asks; return one row a search."""
    config = session.config.benchmark
    rows: list[dict[str, Any]] = []
    runs = [(subject, name, i) for i in range(config.searches) for subject in subjects for name in SEARCHES]
    if not runs:
        return rows
    pretrainings = PREDICTORS.get(PAPER_PREDICTOR).pretrainings
    inputs = [
        {
            "name": name,
            "subject": subject,
            "pretrained": pretrained[subject, number % pretrainings] if name == PAPER else {},
            "budget": config.queries,
            "seed": derive_seed(session.config.seed, "table search", number),
        }
        for subject, name, number in runs
    ]

    def keep(index: int, result: dict[str, Any]) -> None:
        subject, name, number = runs[index]
        rows.append({"place": index, "table": subject.table, "search": name, "number": number, **result})
        bar.update(len(rows), {name: result["picked_accuracy"]})

    with progress_bar("searches of tables", len(runs)) as bar:
        run_side_by_side(search_table, inputs, keep)
    return sorted(rows, key=lambda row: row.pop("place"))
