"""Stage `benchmark`: predictors side by side on tables of measured cells (paper 4.3, Tables 3 and 4, Figure 5)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from flows.runtime.session import Session, stage_flow
from flows.runtime.side_by_side import run_side_by_side
from flows.stages.benchmark_searches import Pretrained, search_tables, searched_tables
from nasgem_core.benchmarks.catalogue import benchmark_of
from nasgem_core.benchmarks.prediction_spaces import check_readable
from nasgem_core.benchmarks.protocols import BIAS_CANDIDATES, training_sizes
from nasgem_core.figures.page import render_page
from nasgem_core.figures.page_parts import Facts, Picture, Table
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
from tasks.benchmark.trial import Split, Trial, pretrain_predictor, trial_of, try_predictor
from tasks.benchmark.trial_report import mean_taus, predictor_pictures, predictor_tables
from tasks.mlflow_runs.records import finite
from tasks.run.progress import progress_bar, say
from tasks.store.artifacts import write_bytes

PAGE_FILE = FOLDER / "benchmark.html"
_GUIDANCE = ("guided_autoencoder", "plain_autoencoder")
"""Figure 5 compares these two."""


@dataclass(frozen=True)
class Planned:
    """One trial on one split: `purpose` is `RANKING` or `BIAS`, `number` that of the split."""

    trial: Trial
    purpose: str
    training: int
    number: int


@stage_flow("benchmark")
def benchmark(session: Session) -> None:
    """Try every predictor on every split of every table that params.yaml names; write data/benchmark."""
    if not session.config.benchmark.tables:
        say("  skipped: benchmark.tables names no table; `nasgem benchmark import` brings one here")
    planned, searched = planned_trials(session), searched_tables(session)
    trials = [*dict.fromkeys([*(one.trial for one in planned), *searched])]
    pretrained = _pretrained(session, trials)
    rows = _try_predictors(session, planned, pretrained)
    _write(session, rows, search_tables(session, searched, pretrained))


def planned_trials(session: Session) -> list[Planned]:
    """Return all trials; whole splits first, small sizes first.

    Raises:
        ParameterError: there is no such predictor, or a number of training cells leaves too few to rank.
        DataError: a table is missing or altered, or lacks what predictors need of it.
    """
    config = session.config.benchmark
    guidance = _GUIDANCE if set(_GUIDANCE) <= set(config.predictors) else ()
    planned = []
    for table in config.tables:
        known = benchmark_of(table)
        check_readable(open_table(table), known, {name: PREDICTORS.get(name) for name in config.predictors})
        sizes = training_sizes(table, len(open_table(table)), config.sizes or known.sizes)
        for predictor in config.predictors:
            trial = trial_of(table, predictor)
            wanted = [(RANKING, size) for size in sizes]
            if predictor in guidance:
                wanted += [(BIAS, size) for size in known.bias_sizes]
            planned += [Planned(trial, *one, number) for number in range(config.splits) for one in wanted]
    return sorted(planned, key=lambda one: (one.number, one.training))


def _pretrained(session: Session, trials: list[Trial]) -> Pretrained:
    """Pre-train each predictor on each table as often as its recipe asks, which needs no label."""
    config = session.config.benchmark
    found: Pretrained = {}
    numbers = []
    for trial in trials:
        recipe = PREDICTORS.get(trial.predictor)
        if recipe.pretrain is None:
            found[trial, 0] = {}
        else:
            numbers += [(trial, i) for i in range(min(recipe.pretrainings, max(config.splits, config.searches)))]
    inputs = [
        {"trial": trial, "seed": derive_seed(session.config.seed, "benchmark pretraining", number)}
        for trial, number in numbers
    ]

    def on_result(index: int, arrays: dict[str, np.ndarray]) -> None:
        found[numbers[index]] = arrays
        del left[index]
        bar.at = next(iter(left.values()), "")
        bar.update(len(found) - known)

    known = len(found)
    left = {index: f"{trial.predictor} on {trial.table}" for index, (trial, _) in enumerate(numbers)}
    if numbers:
        with progress_bar("pre-training predictors", len(numbers)) as bar:
            bar.at = left[0]
            run_side_by_side(session.engine, pretrain_predictor, inputs, on_result)
    return found


def _try_predictors(session: Session, planned: list[Planned], pretrained: Pretrained) -> list[dict[str, Any]]:
    """Run all trials; return one row per trial."""
    config, seed = session.config.benchmark, session.config.seed
    rows: list[dict[str, Any]] = []
    inputs = [
        {
            "trial": one.trial,
            "pretrained": pretrained[one.trial, one.number % PREDICTORS.get(one.trial.predictor).pretrainings],
            "split": Split(
                training=one.training,
                ranked=BIAS_CANDIDATES if one.purpose == BIAS else config.ranked,
                seed=derive_seed(seed, "benchmark", one.trial.table, one.number),
            ),
            "seed": derive_seed(seed, "benchmark fit", one.number),
        }
        for one in planned
    ]

    def on_result(index: int, result: dict[str, float]) -> None:
        one = planned[index]
        names = {"table": one.trial.table, "predictor": one.trial.predictor, "purpose": one.purpose}
        rows.append({"place": index, **names, "training": one.training, "split": one.number, **result})
        del left[index]
        bar.at = next(iter(left.values()), "")
        bar.update(len(rows), {f"tau {one.trial.predictor} {one.training}": result["kendall_tau"]})

    left = {
        index: f"{one.trial.predictor} on {one.trial.table}, {one.training} labels" for index, one in enumerate(planned)
    }
    if planned:
        with progress_bar("predictors on tables", len(planned)) as bar:
            bar.at = left[0]
            run_side_by_side(session.engine, try_predictor, inputs, on_result)
    return sorted(rows, key=lambda row: row.pop("place"))


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
    parts: list[Facts | Table | Picture] = [Facts("What was compared", facts), *tables, *pictures.values()]
    page = render_page("Predictors on tables of measured cells", parts)
    write_bytes(PAGE_FILE, page.encode())
    files = [PAGE_FILE, METRICS_FILE, TRIALS_FILE, SEARCHES_FILE, *(FOLDER / f"{name}.png" for name in pictures)]
    session.records.stage("benchmark", finite(mean_taus(summaries[0])), artifacts=files)
