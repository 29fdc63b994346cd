"""The files of stage `nasgem_bench`: every training, the table of cells made of them, and their noise."""

from dataclasses import asdict
from typing import Any

import numpy as np

from nasgem_core.benchmarks.nasgem_bench import NAME
from nasgem_core.benchmarks.repeat_noise import noise_share, tau_ceiling
from nasgem_core.benchmarks.rows import key_hashes
from nasgem_core.benchmarks.table import TabularSpace, write_table
from nasgem_core.cells.batch import CellBatch
from nasgem_core.config.search import ProxyConfig
from nasgem_core.errors import DataError
from nasgem_core.search.noise import Noise
from nasgem_core.seeding import derive_seed
from tasks.stages.trained import TrainedCells, write_trained
from tasks.store.artifacts import DATA, write_json

FOLDER = DATA / "nasgem_bench"
RUNS_FILE = FOLDER / "runs.parquet"
TABLE_FILE = FOLDER / "table.parquet"
METRICS_FILE = FOLDER / "metrics.json"
LABEL, TRUTH = "accuracy", "accuracy_mean"


def bench_table(runs: TrainedCells) -> TabularSpace:
    """Return one row per cell whose run 0 succeeded.

    The label is the accuracy of run 0. The truth is the mean over all runs of the cell, so it is the same number for
    the cells that were trained once, which most are; the column `runs` tells them apart.

    Raises:
        DataError: every training failed.
    """
    usable = runs.usable
    first = usable[usable.round == 0]
    if not len(first):
        raise DataError(f"all {len(runs)} trainings failed ({runs.reason[0]}): lower nasgem_bench.learning_rate")
    _, cell, count = np.unique(usable.key.astype(str), return_inverse=True, return_counts=True)
    mean, own = np.bincount(cell, weights=usable.accuracy) / count, cell[usable.round == 0]
    columns = {
        LABEL: first.accuracy,
        TRUTH: mean[own],
        "runs": count[own],
        "params": first.params,
        "macs": first.macs,
    }
    metrics = {name: np.asarray(column, dtype=np.float32) for name, column in columns.items()}
    return TabularSpace(NAME, first.cells, metrics, LABEL, TRUTH, key_hashes(first.cells))


def bench_summary(
    runs: TrainedCells, existing: CellBatch, training: ProxyConfig, images_hash: str, seed: int
) -> dict[str, Any]:
    """Return what there is and how far it can be trusted: counts, spread, repeat noise, and how it was trained."""
    usable = runs.usable
    once = usable.accuracy[usable.round == 0]
    _, place, count = np.unique(usable.key.astype(str), return_inverse=True, return_counts=True)
    again = usable[count[place] > 1]
    sizes = np.bincount(existing.num_vertices)
    return {
        "existing_cells": len(existing),
        "existing_by_vertices": {str(size): int(count) for size, count in enumerate(sizes) if count},
        "cells": len(once),
        "repeated_cells": int((count > 1).sum()),
        "trainings": len(runs),
        "failed_trainings": int(runs.failed.sum()),
        "mean_accuracy": float(once.mean()),
        "lowest_accuracy": float(once.min()),
        "highest_accuracy": float(once.max()),
        **_noise(once, again, seed),
        "seed": seed,
        "images": images_hash,
        "training": asdict(training),
    }


def _noise(once: np.ndarray, again: TrainedCells, seed: int) -> dict[str, float]:
    """Return the spread between cells and between runs of one cell; trainings that failed may leave too few."""
    names = ("standard_deviation", "repeat_noise", "noise_share", "tau_ceiling")
    if len(once) < 2 or not len(again):
        return dict.fromkeys(names, float("nan"))
    noise = Noise.of(again.accuracy, again.key).deviation
    ceiling = tau_ceiling(once, noise, derive_seed(seed, "tau ceiling"))
    return dict(zip(names, (float(once.std(ddof=1)), noise, noise_share(once, noise), ceiling), strict=True))


def write_bench(runs: TrainedCells, table: TabularSpace, summary: dict[str, Any]) -> None:
    """Write the stage's files."""
    write_trained(RUNS_FILE, runs)
    write_table(table, TABLE_FILE)
    write_json(METRICS_FILE, "nasgem.metrics/1", summary)
