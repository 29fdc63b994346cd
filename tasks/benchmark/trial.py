"""Tasks of the benchmark: pre-training a predictor on a table's cells, and one trial of it (paper 4.3, Tables 3 and 4).

A trial is one random choice of training cells: fit on their noisy labels, rank other cells, compare with the truth.
"""

import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from nasgem_core.benchmarks.judging import judge, prediction_bias
from nasgem_core.benchmarks.prediction_spaces import prediction_prior, prediction_space
from nasgem_core.benchmarks.table import TabularSpace, content_hash
from nasgem_core.errors import DataError
from nasgem_core.predictors.catalogue import PREDICTORS
from nasgem_core.predictors.embedding_report import REPORTED, Embedding
from nasgem_core.predictors.relevances import Relevances
from nasgem_core.predictors.space import Space
from tasks.benchmark.tables import open_table
from tasks.store.caching import cached_task
from tasks.store.fingerprint import registered_source


@dataclass(frozen=True)
class Subject:
    """What is tried: a predictor on a table. The source and the hash make the cache notice a change of either.

    Args:
        table: name of an imported table.
        table_hash: hash of its content.
        predictor: name of a predictor.
        source: fingerprint of the predictor's source.
    """

    table: str
    table_hash: str
    predictor: str
    source: str


def subject_of(table: str, predictor: str) -> Subject:
    """Return what a trial of this predictor on this table stands on.

    Raises:
        ParameterError: there is no such predictor.
        DataError: the table is missing or altered.
    """
    return Subject(table, content_hash(open_table(table)), predictor, registered_source(PREDICTORS, predictor))


@cached_task("predictor pretraining")
def pretrain_predictor(subject: Subject, seed: int) -> dict[str, np.ndarray]:
    """Do what a predictor does before it sees any label; returns its arrays, none for most predictors."""
    torch.set_num_threads(1)
    _, space, _ = opened_table(subject.table, subject.table_hash)
    pretrain = PREDICTORS.get(subject.predictor).pretrain
    return {} if pretrain is None else pretrain(space, seed)


@cached_task("predictor trial")
def try_predictor(
    subject: Subject, pretrained: dict[str, np.ndarray], training: int, ranked: int, split: int, seed: int
) -> dict[str, float]:
    """Fit on `training` cells and rank at most `ranked` others; returns the measures, and seconds of one core.

    Args:
        subject: predictor and table.
        pretrained: what `pretrain_predictor` gave.
        training: number of labelled cells.
        ranked: number of other cells that are ranked.
        split: seed of the choice of cells: trials with equal ones share their training cells, whatever the predictor,
            and a smaller training set is part of a larger one.
        seed: seed of the predictor.
    """
    torch.set_num_threads(1)
    table, space, prior = opened_table(subject.table, subject.table_hash)
    order = np.random.default_rng(split).permutation(len(table))
    rows, others = order[:training], order[training : training + ranked]
    labels = table.metrics[table.label].astype(np.float64)
    truth = table.metrics[table.truth].astype(np.float64)
    predictor = PREDICTORS.get(subject.predictor).build(space, pretrained, prior)
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


@lru_cache(maxsize=4)
def opened_table(name: str, expected: str) -> tuple[TabularSpace, Space, Relevances]:
    """Read a table and lay it out once a process."""
    table = open_table(name)
    if content_hash(table) != expected:
        raise DataError(f"the table {name} changed while the benchmark was running: start it again")
    space = prediction_space(table)
    return table, space, prediction_prior(table, space)
