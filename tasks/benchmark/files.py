"""The benchmark's files: one row per trial, their means with intervals, and what one noisy label would reach."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nasgem_core.benchmarks.judging import MEASURES, judge
from nasgem_core.benchmarks.table import TabularSpace
from nasgem_core.intervals import mean_and_interval
from nasgem_core.predictors.embedding_report import REPORTED
from tasks.store.artifacts import DATA, METRICS, read_table, write_json, write_table

FOLDER = DATA / "benchmark"
TRIALS_FILE = FOLDER / "trials.parquet"
SEARCHES_FILE = FOLDER / "searches.parquet"
METRICS_FILE = METRICS / "benchmark.json"
SCHEMA, SEARCHES_SCHEMA = "nasgem.trials/1", "nasgem.table_searches/1"
RANKING, BIAS = "ranking", "bias"
"""What a trial was run for: a table of correlations, or Figure 5 of the paper."""
_TIMES = ("fit_seconds", "seconds_per_million")
_COLUMNS = ("table", "predictor", "purpose", "training", "split", *MEASURES, *REPORTED, "bias", *_TIMES)
_SEARCH_COLUMNS = ("table", "search", "number", "picked_accuracy", "regret", "rows")
_CORRELATIONS = ("kendall_tau", "spearman_rho", "pearson_r")
_CEILING_CELLS = 20_000

Summary = dict[str, dict[str, dict[int, dict[str, tuple[float, float]]]]]
"""By table, predictor, number of training cells and measure: mean and half-width of the 95 % interval."""


def write_trials(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Write all trials, one per row, and return them as a table."""
    trials = pd.DataFrame(rows, columns=list(_COLUMNS))
    write_table(TRIALS_FILE, SCHEMA, trials)
    return trials


def write_searches(rows: Sequence[Mapping[str, Any]]) -> None:
    """Write all searches, one per row, with the regret after each query and the rows of the table asked for."""
    write_table(SEARCHES_FILE, SEARCHES_SCHEMA, pd.DataFrame(rows, columns=list(_SEARCH_COLUMNS)))


def read_searches() -> list[dict[str, Any]]:
    """Read all searches; raises `DataError` when the file is missing or foreign."""
    return read_table(SEARCHES_FILE, SEARCHES_SCHEMA).to_dict("records")


def mean_picks(searches: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, tuple[float, float]]]:
    """Return by table and kind of search the mean true accuracy of the pick and the half-width of its interval."""
    picks: dict[str, dict[str, list[float]]] = {}
    for row in searches:
        picks.setdefault(row["table"], {}).setdefault(row["search"], []).append(row["picked_accuracy"])
    return {
        table: {name: mean_and_interval(np.array(values)) for name, values in found.items()}
        for table, found in picks.items()
    }


def write_metrics(
    ranking: Summary,
    ceilings: Mapping[str, Mapping[str, float]],
    splits: int,
    searches: Sequence[Mapping[str, Any]],
) -> None:
    """Write means and intervals as the stage's metrics, with what one label reaches on each table."""
    tables: dict[str, Any] = {}
    for table, by_predictor in ranking.items():
        means = {
            predictor: {str(size): {name: list(value) for name, value in found.items()} for size, found in by.items()}
            for predictor, by in by_predictor.items()
        }
        tables[table] = {"one_label": dict(ceilings[table]), "predictors": means}
    for table, found in mean_picks(searches).items():
        tables[table]["picked_accuracy"] = {name: list(value) for name, value in found.items()}
    write_json(METRICS_FILE, "nasgem.metrics/1", {"splits": splits, "tables": tables})


def read_trials() -> pd.DataFrame:
    """Read all trials; raises `DataError` when the file is missing or foreign."""
    return read_table(TRIALS_FILE, SCHEMA)


def summarise(trials: pd.DataFrame, purpose: str) -> Summary:
    """Return means and intervals of the trials with that purpose; a measure that is never finite is NaN.

    Scores that are all equal rank nothing and count as a correlation of 0: leaving such a trial out would flatter.
    """
    measures = (*MEASURES, *REPORTED, *_TIMES) if purpose == RANKING else (BIAS,)
    summary: Summary = {}
    chosen = trials[trials["purpose"] == purpose].fillna(dict.fromkeys(_CORRELATIONS, 0.0))
    groups = chosen.groupby(["table", "predictor", "training"], sort=False)
    for (table, predictor, training), group in groups:
        found = {name: mean_and_interval(group[name].to_numpy(dtype=float)) for name in measures}
        summary.setdefault(str(table), {}).setdefault(str(predictor), {})[int(training)] = found
    return summary


def one_label(table: TabularSpace) -> dict[str, float]:
    """Return how well the observed label ranks the truth: the reach of a predictor that learns it without any error.

    NaN where the truth of most cells is their label, as in a table of cells trained once: it says nothing of noise.
    """
    label, truth = (table.metrics[name].astype(np.float64) for name in (table.label, table.truth))
    if (label == truth).mean() > 0.5:
        return dict.fromkeys(MEASURES, float("nan"))
    rows = np.random.default_rng(0).permutation(len(table))[:_CEILING_CELLS]
    return judge(label[rows], truth[rows])
