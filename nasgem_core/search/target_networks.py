"""GEMNets of equal cost: every cell becomes the network that is wanted at a budget, and is judged by a smaller one.

The smaller network has the same layout on smaller images, and a share of the multiply-adds.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from nasgem_core.backbones.channels import Budget, fit_channels, smallest_cost
from nasgem_core.backbones.costs import gemnet_costs
from nasgem_core.backbones.frame import Frame
from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.errors import ParameterError
from nasgem_core.networks.complexity import Costs

_RAISE, _RAISES = 1.02, 100
_MACS = Budget(0)


@dataclass(frozen=True)
class TargetNetworks:
    """What cells become where a search has a budget.

    Args:
        target: all of the wanted networks but cells and channels.
        budget: what each of them costs.
        small: likewise of the networks that judge cells.
        share: their multiply-adds as a share of the wanted network's.
    """

    target: Frame
    budget: Budget
    small: Frame
    share: float

    def channels(self, cell: Cell) -> tuple[int, ...]:
        """Return the channels of the wanted network; raises `ParameterError` where the cell cannot meet the budget."""
        return _fitted(cell, self.target, self.budget)

    def small_channels(self, cell: Cell) -> tuple[int, ...]:
        """Return the channels of the network that judges a cell; raises `ParameterError` where there is none."""
        return _fitted(cell, self.small, self._small_budget(cell))

    def obstacle(self, cell: Cell) -> str:
        """Return why a cell has no such networks, in a few words that many cells share; empty where it has them."""
        try:
            self.channels(cell)
        except ParameterError:
            return f"no network of {self.budget.words}"
        try:
            self.small_channels(cell)
        except ParameterError:
            return f"the small network that judges a cell needs more than {self.share:g} of the MACs"
        return ""

    def nearest_budget(self, cells: Sequence[Cell], count: int) -> int | None:
        """Return a budget, this one or a little larger than needed, that `count` of these cells can meet.

        None where no larger one will do.
        """
        easiest = sorted(cells, key=self._least_budget)[:count]
        amount = max(self.budget.amount, *map(self._least_budget, easiest))
        for _ in range(_RAISES):
            raised = replace(self, budget=replace(self.budget, amount=amount))
            if not any(map(raised.obstacle, easiest)):
                return amount
            amount = math.ceil(amount * _RAISE)
        return None

    def complexity(self, cells: CellBatch) -> Costs:
        """Return multiply-adds and parameters of the wanted networks of B cells; raises as `channels`."""
        found = [self._costs(cell) for cell in cells]
        return Costs(*(np.array([int(getattr(each, name)) for each in found], np.int64) for name in ("macs", "params")))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def _costs(self, cell: Cell) -> Costs:
        frame = self.target
        return gemnet_costs(cell, frame.layout, self.channels(cell), frame.num_classes, frame.image_size)

    def _macs(self, cell: Cell) -> int:
        return self.budget.amount if self.budget.cost == "macs" else int(self._costs(cell).macs)

    def _least_budget(self, cell: Cell) -> int:
        """Return about the smallest budget that a cell can meet."""
        least = smallest_cost(cell, self.target, self.budget)
        judged = smallest_cost(cell, self.small, _MACS) / self.share
        wanted = smallest_cost(cell, self.target, _MACS)
        return round(least * max(1.0, judged / wanted))

    def _small_budget(self, cell: Cell) -> Budget:
        return Budget(round(self.share * self._macs(cell)))


def _fitted(cell: Cell, frame: Frame, budget: Budget) -> tuple[int, ...]:
    found = _channels_or_reason(cell, frame, budget)
    if isinstance(found, str):
        raise ParameterError(found)
    return found


@lru_cache(maxsize=100_000)
def _channels_or_reason(cell: Cell, frame: Frame, budget: Budget) -> tuple[int, ...] | str:
    """Solve each cell once: the same cells are asked for when they are drawn, trained and shown.

    Cells are compared by the accuracy of networks of equal cost, so one that is smaller by more than 1 % does not do.
    """
    try:
        channels = fit_channels(cell, frame, budget)[1]
    except ParameterError as error:
        return str(error)
    if budget.met_by(budget.costs(cell, frame, np.array(channels))):
        return channels
    return (
        f"{budget.cost} = {budget.text(budget.amount)} cannot be met within 1 %: the largest network of this cell that "
        "does not exceed it is smaller than that"
    )
