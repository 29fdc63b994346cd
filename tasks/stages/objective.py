"""The objective of a search: opened by the parameters, and in the form that tasks pass on."""

from pathlib import Path
from typing import Any

import numpy as np

from nasgem_core.backbones.channels import LATENCY
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.config.choices import OBJECTIVES
from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.search.at_budget import AtBudget
from nasgem_core.search.objective import MeasuredLatency, Objective, ProxyNetworks, objective_class, read_objective
from nasgem_core.search.objectives.latency import error_words
from nasgem_core.search.target_networks import TargetNetworks
from tasks.stages.latency_table import read_latency, require_one_setting
from tasks.stages.target_latency import fit_target_latency
from tasks.store.fingerprint import registered_source

ObjectiveValue = dict[str, Any]
"""An objective in the form that tasks pass on: its plain values, and the fingerprint of its source."""


def open_objective(config: SearchConfig, networks: ProxyNetworks | TargetNetworks) -> Objective:
    """Return what the parameters let the score charge, or limit to a budget.

    Raises:
        ParameterError: latency is to be charged or limited, and there is no table at the path that the parameters name.
        DataError: the table is damaged, of other proxy networks, or has too few cells.
    """
    name, penalty = config.score.objective, config.score.penalty
    if isinstance(networks, TargetNetworks):
        timed = networks.budget.cost == LATENCY
        return AtBudget(
            name, networks, note=error_words(fit_target_latency(config, networks.target)[1]) if timed else ""
        )
    kind = objective_class(name)
    return kind.open(name, networks, penalty, _measured(config, networks) if kind.needs_latency else None)


def _measured(config: SearchConfig, networks: ProxyNetworks) -> MeasuredLatency:
    path = Path(config.score.latency_table)
    if not path.is_file():
        raise ParameterError(
            f"score.latency_table = {config.score.latency_table!r} is missing: measure cells of this search space with "
            f"`nasgem latency --sampled 40 --output {path.parent}`"
        )
    table = read_latency(path)
    table = table[table["cell"] != ""]
    require_one_setting(path, table, f"nasgem latency --sampled 40 --output {path.parent}")
    cells = CellBatch.from_cells([Cell.from_json(text) for text in table["cell"]], config.cells.operations)
    if not np.array_equal(networks.complexity(cells).macs, table["macs"].to_numpy()):
        raise DataError(
            f"{path} was measured with other proxy networks than params.yaml has now: measure again with "
            f"`nasgem latency --sampled 40 --output {path.parent}`"
        )
    return MeasuredLatency(cells, table["median_ms"].to_numpy(dtype=float))


def objective_value(objective: Objective) -> ObjectiveValue:
    """Return an objective for a task. It is imported by its name, so no task's own source covers it: it comes along."""
    return {**objective.to_dict(), "source": registered_source(OBJECTIVES, objective.name)}


def objective_of(value: ObjectiveValue) -> Objective:
    """Return the objective that `objective_value` gave."""
    return AtBudget.from_dict(value) if "budget" in value else read_objective(value)
