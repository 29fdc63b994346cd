"""Task "table search" of the benchmark: one search of a table with a budget of noisy queries."""

from functools import lru_cache
from typing import Any

import numpy as np
import torch

from nasgem_core.benchmarks.benchmark import Edits
from nasgem_core.benchmarks.catalogue import benchmark_of
from nasgem_core.benchmarks.queries import Queries
from nasgem_core.benchmarks.searches import bootstrap_search, process_search, random_search, regularised_evolution
from nasgem_core.errors import DataError
from nasgem_core.predictors.catalogue import PREDICTORS
from tasks.benchmark.trial import Trial, opened_table
from tasks.store.caching import cached_task

OURS, PAPER, EVOLUTION, RANDOM = "processes", "bootstrap", "evolution", "random"
SEARCHES = (OURS, PAPER, EVOLUTION, RANDOM)
PAPER_PREDICTOR = "guided_autoencoder"


def is_searched(table: str) -> bool:
    """Say whether a table is searched: all searches are compared, and evolution needs cells that can be edited."""
    return benchmark_of(table).edits is not None


@cached_task("table search")
def search_table(name: str, trial: Trial, pretrained: dict[str, np.ndarray], budget: int, seed: int) -> dict[str, Any]:
    """Search a table once; returns the regret after each query and the cells asked for.

    Args:
        name: one of `SEARCHES`.
        trial: the table, and the paper's predictor, which only `bootstrap` fits.
        pretrained: what that predictor knows before any label.
        budget: number of queries.
        seed: of the search.
    """
    torch.set_num_threads(1)
    table, space, benchmark = opened_table(trial)
    queries = Queries(table, budget, benchmark.runs)
    if name == OURS:
        process_search(queries, space, benchmark.prior, seed)
    elif name == PAPER:
        predictor = PREDICTORS.get(trial.predictor).build(space, pretrained, benchmark.prior)
        bootstrap_search(queries, predictor, len(table), seed)
    elif name == EVOLUTION:
        regularised_evolution(queries, _edits(trial), len(table), seed)
    else:
        random_search(queries, len(table), seed)
    return {"regret": queries.regret(), "picked_accuracy": queries.curve[-1], "rows": np.array(queries.rows)}


@lru_cache(maxsize=1)
def _edits(trial: Trial) -> Edits:
    table, _, benchmark = opened_table(trial)
    if benchmark.edits is None:
        raise DataError(
            f"table {trial.table!r}: it is not known how its cells can be edited, so evolution cannot search it"
        )
    return benchmark.edits(table)
