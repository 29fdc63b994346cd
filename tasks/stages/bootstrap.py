"""Task "bootstrap" (Eq. 15): sample very many cells, predict, keep the best that were not trained yet."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.packing import pack_cells, unpack_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.search.bootstrap import bootstrap
from nasgem_core.search.candidates import Edited
from nasgem_core.search.objective import Objective
from tasks.run.progress import progress_bar
from tasks.stages.objective import ObjectiveValue, objective_of, objective_value
from tasks.stages.scorer import ScorerValue, scorer_of
from tasks.stages.trained import TrainedCells
from tasks.store.caching import cached_task

PARENTS = 10
"""How many trained cells candidates are edited copies of."""


@dataclass(frozen=True)
class Draw:
    """Which candidates are looked for.

    Args:
        count: how many cells are sampled.
        top: how many of the best predicted are kept.
        seed: of the samples.
        max_macs: bound on the multiply-adds of a network, 0 for no bound.
        edited: share of the cells that are edited copies of good ones.
    """

    count: int
    top: int
    seed: int
    max_macs: int = 0
    edited: float = 0.0


@cached_task("bootstrap")
def bootstrap_task(
    scorer: ScorerValue,
    space: CellsConfig,
    objective: ObjectiveValue,
    draw: Draw,
    *,
    trained: list[str],
    usable: CellBatch | None = None,
) -> dict[str, Any]:
    """Return the best predicted cells of the sampled ones, packed, with predictions and MACs.

    `trained` holds the canonical keys of cells to leave out, sorted. `usable` are those whose training succeeded;
    edited copies are made of the ones of which the predictor expects most.
    """
    predictor, charged = scorer_of(scorer), objective_of(objective)
    edited = None
    if usable is not None and draw.edited:
        expected = predictor.score(usable, charged.costs(usable), charged.penalty)
        edited = Edited(usable[np.argsort(-expected, kind="stable")[:PARENTS]], draw.edited)
    with progress_bar("predicting candidates", draw.count) as bar:
        found = bootstrap(
            predictor,
            space,
            charged,
            count=draw.count,
            top=draw.top,
            seed=draw.seed,
            max_macs=draw.max_macs or None,
            exclude_keys=frozenset(trained),
            edited=edited,
            on_progress=bar.update,
        )
    return {
        "cells": pack_cells(found.cells),
        "operations": list(space.operations),
        "keys": list(found.keys),
        "predicted": found.predicted,
        "macs": found.macs,
        "sampled": found.sampled,
        "score_mean": found.score_mean,
        "score_edges": found.score_edges,
        "score_counts": found.score_counts,
        "ruled_out": found.ruled_out,
    }


@dataclass(frozen=True, eq=False)
class Found:
    """What `bootstrap_task` found: K cells, best first, with their predicted scores [K] and MACs [K].

    Args:
        cells: the cells.
        predicted: float32 [K].
        macs: int64 [K].
        sampled: how many cells were sampled.
        score_mean: mean predicted score of these.
        ruled_out: how many cells were left out for each obstacle.
    """

    cells: CellBatch
    predicted: np.ndarray
    macs: np.ndarray
    sampled: int
    score_mean: float
    ruled_out: dict[str, int]

    @classmethod
    def of(cls, value: dict[str, Any]) -> "Found":
        """Read what `bootstrap_task` returned."""
        cells = unpack_cells(value["cells"], value["operations"])
        named = ("predicted", "macs", "sampled", "score_mean", "ruled_out")
        return cls(cells, *(value[name] for name in named))


def best_candidates(
    scorer: ScorerValue, space: CellsConfig, objective: Objective, draw: Draw, trained: TrainedCells
) -> Found:
    """Return the best predicted cells that were not trained yet.

    Args:
        scorer: the predictor, fitted to all measurements.
        space: the law that cells are drawn by.
        objective: what the score charges.
        draw: which candidates are looked for.
        trained: the cells so far.
    """
    value, keys = objective_value(objective), sorted(trained.key)
    usable = trained.usable.cells if draw.edited else None
    return Found.of(bootstrap_task(scorer, space, value, draw, trained=keys, usable=usable))
