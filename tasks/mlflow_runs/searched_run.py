"""A search read from its runs in MLflow."""

from pathlib import Path
from typing import Any

import numpy as np

from nasgem_core.errors import DataError
from tasks.mlflow_runs.delivery import KEY_TAG, KIND_TAG, PARENT_TAG
from tasks.mlflow_runs.opened_to_read import opened_to_read
from tasks.mlflow_runs.tracking_store import open_experiment
from tasks.run.compared_search import COSTS, ComparedSearch

_MOST = 50_000
_SHOWN = 10
"""Names of searches in a message."""
_STAGES = ("estimator", "bootstrap")
_OWN = ("known", "random", "predicted", "bootstrap top")
"""Where the cells of the search itself came from: others are of random search, or were trained again."""


def read_run(root: Path, name: str) -> ComparedSearch:
    """Return the search whose run has this id, or a name that is this or ends in it.

    Args:
        root: the folder whose tracking place is used.
        name: such as "3f2a9c1b", or the run's id.

    Raises:
        DataError: no run or several are called so.
        NasgemError: MLflow cannot be reached.
    """
    with opened_to_read(root) as (client, uri):
        experiment = open_experiment(client, uri, root)
        searches = client.search_runs([experiment], f"tags.`{KIND_TAG}` = 'search'", max_results=_MOST)
        found = [run for run in searches if run.info.run_id == name or f" {run.info.run_name}".endswith(f" {name}")]
        if len(found) != 1:
            known = _listed([run.info.run_name for run in (found or searches)])
            raise DataError(
                f"{name!r} is neither a folder nor the name of one search in MLflow: there are {known}; give a folder, "
                "the last word of a name, or a run's id"
            )
        run = found[0]
        cells = [
            cell
            for stage in _STAGES
            for cell in client.search_runs(
                [experiment],
                f"tags.`{PARENT_TAG}` = '{run.data.tags[KEY_TAG]}-{stage}'",
                order_by=["attributes.end_time ASC"],  # a training read from the cache begins before the run does
                max_results=_MOST,
            )
            if cell.data.params.get("origin", "").partition(":")[0] in _OWN
        ]
    best = _best(cells, run.data.metrics)
    measured = best.data.metrics if best else {}
    return ComparedSearch(
        run.info.run_name,
        run.data.params,
        _values(cells, "accuracy"),
        _values(cells, "score"),
        run.data.metrics,
        best.data.params.get("key", "") if best else "",
        {name: measured[name] for name in COSTS if name in measured},
    )


def _listed(names: list[str]) -> str:
    """Return the newest names, which come first, and how many more there are."""
    more = f" and {len(names) - _SHOWN} earlier ones" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN]) or 'none'}{more}"


def _values(cells: list[Any], name: str) -> np.ndarray:
    return np.array([cell.data.metrics.get(name, np.nan) for cell in cells], dtype=float)


def _best(cells: list[Any], figures: dict[str, float]) -> Any:
    """Return the run of the chosen cell: the one with the MACs and params that the search reports, best score first."""
    ranked = sorted(cells, key=lambda cell: -cell.data.metrics.get("score", -np.inf))
    wanted = [figures.get("best_macs"), figures.get("best_params")]
    same = [cell for cell in ranked if [cell.data.metrics.get(name) for name in ("macs", "params")] == wanted]
    return next(iter([*same, *ranked]), None)
