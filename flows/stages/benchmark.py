"""Stage `benchmark`: predictors side by side on tables of measured cells (paper 4.3, Tables 3 and 4, Figure 5)."""

from typing import Any

import numpy as np

from flows.runtime.session import Session, stage_flow
from flows.runtime.side_by_side import run_side_by_side
from flows.stages.benchmark_searches import search_tables, searched_subjects
from nasgem_core.benchmarks import nasbench101
from nasgem_core.benchmarks.protocols import BIAS_CANDIDATES, BIAS_SIZES, training_sizes
from nasgem_core.figures.page import render_page
from nasgem_core.predictors.catalogue import PREDICTORS
from nasgem_core.seeding import derive_seed
from tasks.benchmark.files import (
    BIAS,
    FOLDER,
    METRICS_FILE,
    RANKING,
    SEARCHES_FILE,
    TRIALS_FILE,
    one_label,
    summarise,
    write_metrics,
    write_searches,
    write_trials,
)
from tasks.benchmark.search_report import pick_tables, search_pictures
from tasks.benchmark.tables import open_table
from tasks.benchmark.trial import Subject, pretrain_predictor, subject_of, try_predictor
from tasks.benchmark.trial_report import mean_taus, predictor_pictures, predictor_tables
from tasks.mlflow_runs.records import finite
from tasks.run.progress import progress_bar, say
from tasks.store.artifacts import write_bytes

PAGE_FILE = FOLDER / "benchmark.html"
_GUIDANCE = ("guided_autoencoder", "plain_autoencoder")
"""Figure 5 compares these two."""


@stage_flow("benchmark")
def benchmark(session: Session) -> None:
    """Try every predictor on every split of every table that params.yaml names; write data/benchmark."""
    config = session.config.benchmark
    if not config.tables:
        say("  skipped: benchmark.tables names no table; `nasgem benchmark import` brings one here")
    trials = planned_trials(session)
    rows: list[dict[str, Any]] = []
    searched = searched_subjects(session)
    pretrained = _pretrained(session, [*dict.fromkeys([*(subject for subject, *_ in trials), *searched])])
    if trials:
        inputs = [
            {
                "subject": subject,
                "pretrained": pretrained[subject, split % PREDICTORS.get(subject.predictor).pretrainings],
                "training": training,
                "ranked": BIAS_CANDIDATES if purpose == BIAS else config.ranked,
                "split": derive_seed(session.config.seed, "benchmark", subject.table, split),
                "seed": derive_seed(session.config.seed, "benchmark fit", split),
            }
            for subject, purpose, training, split in trials
        ]

        def keep(index: int, result: dict[str, float]) -> None:
            subject, purpose, training, split = trials[index]
            names = {"table": subject.table, "predictor": subject.predictor, "purpose": purpose}
            rows.append({"place": index, **names, "training": training, "split": split, **result})
            bar.update(len(rows), {f"tau {subject.predictor} {training}": result["kendall_tau"]})

        with progress_bar("predictors on tables", len(trials)) as bar:
            run_side_by_side(try_predictor, inputs, keep)
        rows.sort(key=lambda row: row.pop("place"))
    searches = search_tables(session, searched, pretrained)
    _write(session, rows, searches)


def planned_trials(session: Session) -> list[tuple[Subject, str, int, int]]:
    """Return predictor, purpose, training cells and split of each trial; whole splits first, small sizes first.

    Raises:
        ParameterError: there is no such predictor, or a number of training cells leaves too few to rank.
        DataError: a table is missing or altered.
    """
    config = session.config.benchmark
    subjects = [subject_of(table, predictor) for table in config.tables for predictor in config.predictors]
    guidance = _GUIDANCE if set(_GUIDANCE) <= set(config.predictors) else ()
    trials = []
    for subject in subjects:
        sizes = training_sizes(subject.table, len(open_table(subject.table)), config.sizes)
        planned = [(RANKING, size) for size in sizes]
        if subject.table == nasbench101.NAME and subject.predictor in guidance:
            planned += [(BIAS, size) for size in BIAS_SIZES]
        trials += [(subject, *trial, split) for split in range(config.splits) for trial in planned]
    return sorted(trials, key=lambda trial: (trial[3], trial[2]))


def _pretrained(session: Session, subjects: list[Subject]) -> dict[tuple[Subject, int], dict[str, np.ndarray]]:
    """Pre-train each predictor on each table as often as its recipe asks, which needs no label."""
    config = session.config.benchmark
    found: dict[tuple[Subject, int], dict[str, np.ndarray]] = {}
    numbers = []
    for subject in subjects:
        recipe = PREDICTORS.get(subject.predictor)
        if recipe.pretrain is None:
            found[subject, 0] = {}
        else:
            numbers += [(subject, i) for i in range(min(recipe.pretrainings, max(config.splits, config.searches)))]
    inputs = [
        {"subject": subject, "seed": derive_seed(session.config.seed, "benchmark pretraining", number)}
        for subject, number in numbers
    ]

    def keep(index: int, arrays: dict[str, np.ndarray]) -> None:
        found[numbers[index]] = arrays
        bar.update(len(found) - known)

    known = len(found)
    if numbers:
        with progress_bar("pre-training predictors", len(numbers)) as bar:
            run_side_by_side(pretrain_predictor, inputs, keep)
    return found


def _write(session: Session, rows: list[dict[str, Any]], searches: list[dict[str, Any]]) -> None:
    config = session.config.benchmark
    trials = write_trials(rows)
    write_searches(searches)
    ceilings = {name: one_label(open_table(name)) for name in config.tables}
    summaries = summarise(trials, RANKING), summarise(trials, BIAS)
    write_metrics(summaries[0], ceilings, config.splits, searches)
    pictures = predictor_pictures(*summaries, ceilings, config.splits) | search_pictures(searches)
    for name, picture in pictures.items():
        write_bytes(FOLDER / f"{name}.png", picture.png)
    # Tables that are no longer named have left pictures behind, and equal parameters are to give an equal folder.
    for path in FOLDER.glob("*.png"):
        if path.stem not in pictures:
            path.unlink()
    facts = {"tables": ", ".join(config.tables) or "none", "splits": str(config.splits), "fits": str(len(rows))}
    tables = [*predictor_tables(*summaries, ceilings), *pick_tables(searches)]
    page = render_page("Predictors on tables of measured cells", facts, tables, list(pictures.values()))
    write_bytes(PAGE_FILE, page.encode())
    files = [PAGE_FILE, METRICS_FILE, TRIALS_FILE, SEARCHES_FILE, *(FOLDER / f"{name}.png" for name in pictures)]
    session.records.stage("benchmark", finite(mean_taus(summaries[0])), artifacts=files)
