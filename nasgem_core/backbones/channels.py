"""The channels of GEMNet at which a cost, its multiply-adds, parameters or predicted latency, meets a budget."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from nasgem_core.backbones.costs import gemnet_costs
from nasgem_core.backbones.frame import Frame
from nasgem_core.backbones.latency import NO_LATENCY, GemnetLatency
from nasgem_core.backbones.skeleton import Skeleton
from nasgem_core.cells.cell import Cell
from nasgem_core.counts import DOWN, NEAREST, UP, count_text
from nasgem_core.durations import duration_text
from nasgem_core.errors import ParameterError

MAX_WIDTH = 2048
"""The largest width that is considered."""
TOLERANCE = 0.01
LATENCY = "latency"
COST_WORDS = {"macs": "MACs", "params": "params", LATENCY: "latency"}
"""What a budget can limit, in words."""
_REACHES = (1, 2, 4)
"""Channel multiples by which a stage may differ from its share of the width, if no width meets the budget."""


@dataclass(frozen=True)
class Budget:
    """What the networks of all cells are to cost, within 1 %.

    Args:
        amount: multiply-adds of one image, learnable numbers, or nanoseconds of latency.
        cost: which of `COST_WORDS` it is.
        latency: predicts the latency, where that is what it limits.
    """

    amount: int
    cost: str = "macs"
    latency: GemnetLatency = NO_LATENCY

    def costs(self, cell: Cell, frame: Frame, channels: np.ndarray | tuple[np.ndarray, ...]) -> np.ndarray:
        """Return what the network of a cell costs, for many choices of channels at once."""
        if self.cost == LATENCY:
            return self.latency.predict(cell, frame, channels)
        costs = gemnet_costs(cell, frame.layout, channels, frame.num_classes, frame.image_size)
        return getattr(costs, self.cost)

    @property
    def words(self) -> str:
        """The budget in words, such as "20M MACs"."""
        return f"{self.text(self.amount)} {COST_WORDS[self.cost]}"

    def text(self, amount: float, rounding: str | None = None) -> str:
        """Return an amount of the cost as text, such as 20M or 2 ms; `rounding` is that of `count_text`."""
        return duration_text(amount, rounding) if self.cost == LATENCY else count_text(int(amount), rounding)

    def met_by(self, costs: np.ndarray) -> np.ndarray:
        """Return whether costs are within 1 % of the budget."""
        return np.abs(costs - self.amount) <= TOLERANCE * self.amount


def fit_channels(cell: Cell, frame: Frame, budget: Budget) -> tuple[float, tuple[int, ...]]:
    """Return the width and the channels with which the network of a cell meets a budget.

    If widths exist whose channels, rounded to the skeleton's multiples, meet the budget, the nearest one is taken.
    Otherwise the channels of stem and stages are chosen one by one, as close to their shares of the width as the budget
    allows.

    Raises:
        ParameterError: no channels meet the budget; the message names the nearest budgets that can be met.
    """
    widths, channels = _widths(frame.layout.skeleton)
    least, most = budget.costs(cell, frame, channels[[0, -1]].T)
    if not least * (1 - TOLERANCE) <= budget.amount <= most * (1 + TOLERANCE):
        raise ParameterError(
            f"{budget.cost} = {budget.text(budget.amount)} cannot be met: the networks of this cell with layout "
            f"{frame.layout.name!r} have {budget.text(least, UP)} to {budget.text(most, DOWN)}; choose a budget "
            "in between"
        )
    costs = budget.costs(cell, frame, channels.T)
    nearest = int(np.argmin(np.abs(costs - budget.amount)))
    width, chosen = float(widths[nearest]), channels[nearest]
    if not budget.met_by(costs[nearest]):
        chosen = _refine(cell, frame, width, budget)
    return width, tuple(int(value) for value in chosen)


def smallest_cost(cell: Cell, frame: Frame, budget: Budget) -> int:
    """Return the least that a network of a cell costs of what a budget limits."""
    return int(budget.costs(cell, frame, _widths(frame.layout.skeleton)[1][0]))


@cache
def _widths(skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Return all different channels that a width can give, [K, 1 + stages], and a width for each, ascending, [K]."""
    steps, multiple = {0.0, float(MAX_WIDTH)}, skeleton.channel_multiple
    for scale in (skeleton.stem_scale, *skeleton.scales):
        # Channels change from 8 k to 8 (k + 1) where width * scale is 8 (k + 1/2), and so for any multiple.
        count = math.floor(MAX_WIDTH * scale / multiple + 0.5)
        steps.update(multiple * (k + 0.5) / scale for k in range(1, count))
    ends = np.array(sorted(step for step in steps if step <= MAX_WIDTH))
    widths = (ends[:-1] + ends[1:]) / 2
    channels, first = np.unique([skeleton.channels(width) for width in widths], axis=0, return_index=True)
    order = np.argsort(first)
    return widths[first[order]], channels[order]


def _refine(cell: Cell, frame: Frame, width: float, budget: Budget) -> np.ndarray:
    """Return the channels within the budget whose ratios to their shares of the width are nearest to 1."""
    skeleton = frame.layout.skeleton
    multiple = skeleton.channel_multiple
    ideal = [max(width * scale, multiple) for scale in (skeleton.stem_scale, *skeleton.scales)]
    below, above = 0, 0
    for mesh in _meshes(skeleton.channels(width), multiple):
        costs = budget.costs(cell, frame, mesh)
        meets = budget.met_by(costs)
        if meets.any():
            distance = sum(np.log(values / share) ** 2 for values, share in zip(mesh, ideal, strict=True))
            place = np.unravel_index(np.argmin(np.where(meets, distance, np.inf)), costs.shape)
            return np.array([values.ravel()[index] for values, index in zip(mesh, place, strict=True)])
        below = costs[costs < budget.amount].max(initial=0)
        above = costs[costs > budget.amount].min(initial=np.iinfo(np.int64).max)
    raise ParameterError(
        f"{budget.cost} = {budget.text(budget.amount)} cannot be met within 1 % by channels divisible by {multiple}: "
        f"the nearest networks of this cell have {budget.text(below, NEAREST)} and {budget.text(above, NEAREST)}; "
        "choose one of these"
    )


def _meshes(channels: tuple[int, ...], multiple: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield open meshes of channels around the given ones, each larger than the one before."""
    for reach in _REACHES:
        offsets = multiple * np.arange(-reach, reach + 1)
        yield np.ix_(*(value + offsets[value + offsets > 0] for value in channels))
