"""Task "bootstrap" (Eq. 15): sample very many cells, predict, keep the best that were not trained yet."""

from typing import Any

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.packing import pack_cells, unpack_cells
from nasgem_core.config.search import CellsConfig
from nasgem_core.networks.complexity import cell_costs
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.search.bootstrap import bootstrap
from nasgem_core.search.latency_model import LatencyModel
from tasks.run.progress import progress_bar
from tasks.stages.scorer import ScorerValue, scorer_of
from tasks.store.caching import cached_task


@cached_task("bootstrap")
def bootstrap_task(
    scorer: ScorerValue,
    cells: CellsConfig,
    layout: NetworkLayout,
    num_classes: int,
    count: int,
    top: int,
    penalty: float,
    max_macs: int,
    trained: list[str],
    seed: int,
    latency: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the `top` best predicted cells of `count` sampled ones, packed, with predictions and MACs.

    `trained` holds canonical keys to pass over; `max_macs` bounds the multiply-adds of a network, 0 for no bound.
    `latency` is a latency model's value: the score then charges what it tells.
    """

    def macs_of(batch: CellBatch) -> np.ndarray:
        return cell_costs(batch, layout, num_classes).macs

    with progress_bar("predicting candidates", count) as bar:
        found = bootstrap(
            scorer_of(scorer),
            cells,
            macs_of,
            count=count,
            top=top,
            penalty=penalty,
            max_macs=max_macs or None,
            cost_of=None if latency is None else LatencyModel.from_dict(latency).predict,
            seed=seed,
            exclude_keys=frozenset(trained),
            on_progress=bar.update,
        )
    return {
        "cells": pack_cells(found.cells),
        "operations": list(cells.operations),
        "keys": list(found.keys),
        "predicted": found.predicted,
        "macs": found.macs,
        "sampled": found.sampled,
        "score_mean": found.score_mean,
        "score_edges": found.score_edges,
        "score_counts": found.score_counts,
    }


def candidate_cells(value: dict[str, Any]) -> CellBatch:
    """Return the cells that `bootstrap_task` packed, best first."""
    return unpack_cells(value["cells"], value["operations"])
