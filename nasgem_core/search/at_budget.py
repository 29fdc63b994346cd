"""A search at a budget: all cells become networks of the same cost, and the score of a cell is its accuracy."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from nasgem_core.backbones.channels import COST_WORDS, Budget
from nasgem_core.cells.batch import CellBatch
from nasgem_core.config.documents import read_fields
from nasgem_core.config.score import ScoreConfig
from nasgem_core.counts import UP
from nasgem_core.errors import ParameterError
from nasgem_core.search.objective import Objective, objective_class
from nasgem_core.search.target_networks import TargetNetworks


@dataclass(frozen=True, eq=False)
class AtBudget(Objective):
    """Charges nothing: what Eq. 5 would charge is the same for all cells.

    Args:
        networks: with the budget.
        penalty: 0.
        note: what a user has to know before relying on the costs.
    """

    networks: TargetNetworks
    penalty: float = 0.0
    note: str = ""

    label, unit = "budget", "millions"
    in_every_table = True

    def costs(self, cells: CellBatch) -> np.ndarray:
        """Return the budget for each of B cells, int64 [B]."""
        return np.full(len(cells), self.networks.budget.amount, dtype=np.int64)

    def remark(self) -> str:
        """Return the note."""
        return self.note

    def obstacles(self, cells: CellBatch) -> list[str]:
        """Return why each of B cells cannot meet the budget, empty texts for those that can."""
        return [self.networks.obstacle(cell) for cell in cells]

    def remedy(self, cells: CellBatch, count: int) -> str:
        """Return the nearest budget that `count` of B cells can meet."""
        nearest = self.networks.nearest_budget(list(cells), count)
        if nearest is None:
            return "no larger budget helps: lower score.budget, or change section gemnet"
        text = self.networks.budget.text(nearest, UP)
        return f"{count} of these cells can meet score.budget = {text}: set it, or change section gemnet"

    @property
    def plotted(self) -> str:
        """The cost that the budget leaves open, in words."""
        return COST_WORDS[self._open_cost]

    def plotted_costs(self, cells: CellBatch) -> np.ndarray:
        """Return the cost that the budget leaves open of each of B cells, [B]."""
        return getattr(self.networks.complexity(cells), self._open_cost)

    @property
    def _open_cost(self) -> str:
        return "params" if self.networks.budget.cost == "macs" else "macs"

    @property
    def formula(self) -> str:
        """The score in words, such as "accuracy at 20M MACs"."""
        return f"accuracy at {self.networks.budget.words}"

    def with_penalty(self, penalty: float) -> Self:
        """Return itself for 0; raises `ParameterError` for another penalty."""
        if penalty:
            raise ParameterError(
                f"penalty = {penalty:g}: with score.budget = {self.networks.budget.words} the score is the accuracy, "
                "without a penalty; leave it out, or search with an empty score.budget"
            )
        return replace(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave."""
        networks = {name: part for name, part in value.items() if name in TargetNetworks.__dataclass_fields__}
        return cls(value["name"], read_fields(TargetNetworks, networks))


def formula_of(score: ScoreConfig) -> str:
    """Return in words what the parameters make the score of a cell."""
    if score.limit is None:
        return objective_class(score.objective).formula_with(score.penalty)
    return f"accuracy at {Budget(score.limit, score.objective).words}"
