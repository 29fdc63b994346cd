"""Task "table search" of the benchmark: one search of a table with a budget of noisy queries."""

from functools import lru_cache
from typing import Any

import numpy as np
import torch

from nasgem_core.benchmarks import nasbench101
from nasgem_core.benchmarks.mutation import Mutation
from nasgem_core.benchmarks.queries import Queries
from nasgem_core.benchmarks.searches import bootstrap_search, process_search, random_search, regularised_evolution
from nasgem_core.predictors.catalogue import PREDICTORS
from tasks.benchmark.trial import Subject, opened_table
from tasks.store.caching import cached_task

OURS, PAPER, EVOLUTION, RANDOM = "processes", "bootstrap", "evolution", "random"
SEARCHES = (OURS, PAPER, EVOLUTION, RANDOM)
PAPER_PREDICTOR = "guided_autoencoder"
SEARCHED = (nasbench101.NAME,)
"""Tables in which cells can be edited, as evolution needs."""


@cached_task("table search")
def search_table(
    name: str, subject: Subject, pretrained: dict[str, np.ndarray], budget: int, seed: int
) -> dict[str, Any]:
    """Search a table once; returns the regret after each query and the cells asked for.

    Args:
        name: one of `SEARCHES`.
        subject: the table, and the paper's predictor, which only `bootstrap` fits.
        pretrained: what that predictor knows before any label.
        budget: number of queries.
        seed: of the search.
    """
    torch.set_num_threads(1)
    table, space, prior = opened_table(subject.table, subject.table_hash)
    queries = Queries(table, budget)
    if name == OURS:
        process_search(queries, space, prior, seed)
    elif name == PAPER:
        predictor = PREDICTORS.get(subject.predictor).build(space, pretrained, prior)
        bootstrap_search(queries, predictor, len(table), seed)
    elif name == EVOLUTION:
        regularised_evolution(queries, _mutation(subject.table, subject.table_hash), len(table), seed)
    else:
        random_search(queries, len(table), seed)
    return {"regret": queries.regret(), "picked_accuracy": queries.curve[-1], "rows": np.array(queries.rows)}


@lru_cache(maxsize=1)
def _mutation(table: str, table_hash: str) -> Mutation:
    return Mutation(opened_table(table, table_hash)[0])
