"""Tasks of the benchmark: pre-training a predictor on a table's cells, and one trial of it (paper 4.3, Tables 3 and 4).

A trial is one random choice of training cells: fit on their noisy labels, rank other cells, compare with the truth.
"""

import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from nasgem_core.benchmarks.benchmark import Benchmark
from nasgem_core.benchmarks.catalogue import BENCHMARKS, benchmark_of, is_published
from nasgem_core.benchmarks.judging import judge, prediction_bias
from nasgem_core.benchmarks.prediction_spaces import prediction_space
from nasgem_core.benchmarks.table import TabularSpace, content_hash
from nasgem_core.errors import DataError
from nasgem_core.predictors.catalogue import PREDICTORS
from nasgem_core.predictors.embedding_report import REPORTED, Embedding
from nasgem_core.predictors.space import Space
from tasks.benchmark.tables import open_table
from tasks.store.caching import cached_task
from tasks.store.fingerprint import registered_source


@dataclass(frozen=True)
class Trial:
    """What is tried: a predictor on a table. By the sources and the hash, the cache notices a change of either.

    Args:
        table: name of an imported table.
        table_hash: hash of its content.
        table_source: fingerprint of the source of what is known of it, "" where it is not a published table.
        predictor: name of a predictor.
        predictor_source: fingerprint of the predictor's source.
    """

    table: str
    table_hash: str
    table_source: str
    predictor: str
    predictor_source: str


@dataclass(frozen=True)
class Split:
    """A random choice of training cells, and of cells to rank.

    Trials with equal seeds share their training cells, whatever the predictor, and a smaller training set is part of a
    larger one.

    Args:
        training: number of labelled cells.
        ranked: number of other cells that are ranked, at most.
        seed: of the choice.
    """

    training: int
    ranked: int
    seed: int


def trial_of(table: str, predictor: str) -> Trial:
    """Return the trial of a predictor on a table.

    Raises:
        ParameterError: there is no such predictor.
        DataError: the table is missing or altered.
    """
    source = registered_source(BENCHMARKS, table) if is_published(table) else ""
    return Trial(
        table=table,
        table_hash=content_hash(open_table(table)),
        table_source=source,
        predictor=predictor,
        predictor_source=registered_source(PREDICTORS, predictor),
    )


@cached_task("predictor pretraining")
def pretrain_predictor(trial: Trial, seed: int) -> dict[str, np.ndarray]:
    """Do what a predictor does before it sees any label; returns its arrays, none for most predictors."""
    torch.set_num_threads(1)
    _, space, _ = opened_table(trial)
    pretrain = PREDICTORS.get(trial.predictor).pretrain
    return {} if pretrain is None else pretrain(space, seed)


@cached_task("predictor trial")
def try_predictor(trial: Trial, pretrained: dict[str, np.ndarray], split: Split, seed: int) -> dict[str, float]:
    """Fit on some cells and rank others; returns the measures, and seconds of one core.

    Args:
        trial: predictor and table.
        pretrained: what `pretrain_predictor` returned.
        split: which cells.
        seed: of the predictor.
    """
    torch.set_num_threads(1)
    table, space, benchmark = opened_table(trial)
    order = np.random.default_rng(split.seed).permutation(len(table))
    rows, others = order[: split.training], order[split.training : split.training + split.ranked]
    labels = table.metrics[table.label].astype(np.float64)
    truth = table.metrics[table.truth].astype(np.float64)
    predictor = PREDICTORS.get(trial.predictor).build(space, pretrained, benchmark.prior)
    started = time.process_time()
    predictor.fit(rows, labels[rows], seed)
    fitted = time.process_time()
    scores = predictor.predict(others)
    seconds = time.process_time() - fitted
    reported = predictor.report(others, truth[others]) if isinstance(predictor, Embedding) else {}
    return {
        **dict.fromkeys(REPORTED, float("nan")),
        **reported,
        **judge(scores, truth[others]),
        "bias": prediction_bias(scores, truth[others]),
        "fit_seconds": fitted - started,
        "seconds_per_million": seconds / len(others) * 1e6,
    }


def opened_table(trial: Trial) -> tuple[TabularSpace, Space, Benchmark]:
    """Return the table of a trial, laid out for predictors, and what is known of it; it is read once per process."""
    return _opened_table(trial.table, trial.table_hash)


@lru_cache(maxsize=4)
def _opened_table(name: str, expected: str) -> tuple[TabularSpace, Space, Benchmark]:
    table = open_table(name)
    if content_hash(table) != expected:
        raise DataError(f"the table {name} changed while the benchmark was running: start it again")
    benchmark = benchmark_of(name)
    return table, prediction_space(table, benchmark), benchmark
