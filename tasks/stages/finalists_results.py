"""Results of stage `finalists`: the table of its cells, the figures of the comparison, and the files."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nasgem_core.backbones.costs import gemnet_costs
from nasgem_core.cells.cell import Cell
from nasgem_core.search.halving import Halving
from nasgem_core.search.rank_agreement import rank_agreement
from tasks.store.artifacts import DATA, METRICS, read_table, write_json, write_table

if TYPE_CHECKING:
    from nasgem_core.backbones.spec import GEMNetSpec  # with Torch, which the words about finalists do without

TABLE_FILE = DATA / "finalists" / "finalists.parquet"
METRICS_FILE = METRICS / "finalists.json"
ACCURACY = "top1_after_"
"""Begins the names of the columns that hold the accuracy after each rung; its epochs follow."""
_SCHEMA = "nasgem.finalists/1"
_TYPES: dict[str, Any] = {
    "rank": np.int64,
    "key": object,
    "cell": object,
    "origin": object,
    "round": np.int64,
    "score": np.float64,
    "trainings": np.int64,
    "macs": np.int64,
    "params": np.int64,
    "reason": object,
    "chosen": bool,
}


@dataclass(frozen=True)
class Finalist:
    """A cell that is compared.

    Args:
        spec: its network at the target's budget.
        origin: where the search has it from.
        round: of the search.
        score: mean of its proxy trainings.
        trainings: how many these are.
    """

    spec: "GEMNetSpec"
    origin: str
    round: int
    score: float
    trainings: int

    @property
    def key(self) -> str:
        """The cell's canonical key."""
        return self.spec.cell.canonical_key


def table_of(finalists: Sequence[Finalist], halving: Halving, reasons: Sequence[str]) -> pd.DataFrame:
    """Return one row per finalist, best first; reasons say why trainings have failed, and are empty otherwise."""
    rows = []
    for rank, place in enumerate(halving.order, start=1):
        each = finalists[place]
        spec = each.spec
        costs = gemnet_costs(spec.cell, spec.layout, spec.channels, spec.num_classes, spec.image_size)
        values = {name: getattr(each, name) for name in ("key", "origin", "round", "score", "trainings")}
        size = {"macs": int(costs.macs), "params": int(costs.params)}
        accuracies = zip(halving.rungs, halving.accuracy[place], strict=True)
        after = {f"{ACCURACY}{epochs}": accuracy for epochs, accuracy in accuracies}
        more = {"rank": rank, "cell": spec.cell.to_json(), "reason": reasons[place], "chosen": rank == 1}
        rows.append({**values, **size, **more, **after})
    return _typed(pd.DataFrame(rows), halving.rungs)


def write_finalists(table: pd.DataFrame, summary: dict[str, Any]) -> None:
    """Write the stage's table and metrics."""
    write_table(TABLE_FILE, _SCHEMA, table)
    write_json(METRICS_FILE, "nasgem.metrics/1", summary)


def no_finalists() -> pd.DataFrame:
    """Return the table of a stage that was skipped."""
    return _typed(pd.DataFrame(columns=list(_TYPES)), ())


def _typed(table: pd.DataFrame, rungs: Sequence[int]) -> pd.DataFrame:
    types = {**_TYPES, **{f"{ACCURACY}{epochs}": np.float64 for epochs in rungs}}
    return table[list(types)].astype(types)


def read_finalists() -> pd.DataFrame:
    """Return the table of the stage, empty where it was skipped or has not run."""
    return read_table(TABLE_FILE, _SCHEMA) if TABLE_FILE.is_file() else no_finalists()


def summary_of(
    finalists: Sequence[Finalist], halving: Halving, searched: Cell, *, schedule: int, ruled_out: int
) -> dict[str, Any]:
    """Return the metrics: what was chosen, how the ranks held, and what the comparison cost.

    Args:
        finalists: K cells, in the order of the proxy.
        halving: their comparison.
        searched: the search's choice.
        schedule: epochs of a training that runs to its end.
        ruled_out: cells that could not meet the budget.
    """
    best = halving.order[0]
    keys = [each.key for each in finalists]
    own = keys.index(searched.canonical_key) if searched.canonical_key in keys else None
    return {
        "chosen": keys[best],
        "top1": float(halving.last[best]),
        "searched": searched.canonical_key,
        "searched_top1": float("nan") if own is None else float(halving.last[own]),
        "searched_until": 0 if own is None else halving.until[own],
        "cells": len(finalists),
        "ruled_out": ruled_out,
        "epochs": sum(halving.until),
        "epochs_without_halving": schedule * len(finalists),
        "rungs": _rungs(np.array([each.score for each in finalists]), halving),
    }


def _rungs(scores: np.ndarray, halving: Halving) -> list[dict[str, Any]]:
    """Return for each rung how its accuracies agree with those before it: the first one's with the proxy's scores."""
    rungs, before = [], scores
    for epochs, accuracy in zip(halving.rungs, halving.accuracy.T, strict=True):
        known = np.isfinite(accuracy)
        agreement = rank_agreement(before[known], accuracy[known])
        rungs.append({"until": epochs, "cells": int(known.sum()), **asdict(agreement)})
        before = accuracy
    return rungs
