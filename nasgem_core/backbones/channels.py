"""The channels of GEMNet at which a cost, its multiply-adds, parameters or predicted latency, meets a budget."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from nasgem_core.backbones.costs import gemnet_costs
from nasgem_core.backbones.frame import Frame
from nasgem_core.backbones.latency import NO_LATENCY, GemnetLatency
from nasgem_core.backbones.skeleton import Skeleton
from nasgem_core.cells.cell import Cell
from nasgem_core.counts import DOWN, UP, count_text
from nasgem_core.durations import duration_text
from nasgem_core.errors import ParameterError

MAX_WIDTH = 2048
"""The largest width that is considered."""
TOLERANCE = 0.01
"""Share of a budget that a network may leave unused and still count as one of that size."""
LATENCY = "latency"
COST_WORDS = {"macs": "MACs", "params": "params", LATENCY: "latency"}
"""What a budget can limit, in words."""
_REACHES = (1, 2, 4)
"""Channel multiples by which a stage may differ from its share of the width, if no width meets the budget."""


@dataclass(frozen=True)
class Budget:
    """What the networks of all cells may cost at most; those that cost up to 1 % less are of equal size.

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
        """Return whether costs are at most the budget and at least 99 % of it."""
        return (costs <= self.amount) & (costs >= (1 - TOLERANCE) * self.amount)


def fit_channels(cell: Cell, frame: Frame, budget: Budget) -> tuple[float, tuple[int, ...]]:
    """Return the width and the channels with which the network of a cell is the largest that a budget allows.

    Channels are those of a width, rounded to the skeleton's multiples. Where no width comes within 1 % of the budget,
    the channels of stem and stages are chosen one by one, as close to their shares of the width as 1 % allows. Where
    these do not come within 1 % either, the network is smaller; it never exceeds the budget.

    Raises:
        ParameterError: the smallest network exceeds the budget, or no network is nearly as large; the message names it.
    """
    widths, channels = _widths(frame.layout.skeleton)
    costs = budget.costs(cell, frame, channels.T)
    what = f"{budget.cost} = {budget.text(budget.amount)} cannot be met: the networks of this cell with layout "
    what += repr(frame.layout.name)
    if budget.amount < costs[0]:
        raise ParameterError(f"{what} have at least {budget.text(costs[0], UP)}; choose that or more")
    if budget.amount > costs[-1] * (1 + TOLERANCE):
        raise ParameterError(f"{what} have at most {budget.text(costs[-1], DOWN)}; choose that or less")
    largest = int(np.argmax(np.where(costs <= budget.amount, costs, -1)))
    width, chosen = float(widths[largest]), channels[largest]
    if not budget.met_by(costs[largest]):
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
    """Return the channels within 1 % of the budget whose ratios to their shares of the width are nearest to 1.

    Without any, return the costliest that the budget allows and that differ from the width's by one multiple at most.
    """
    skeleton = frame.layout.skeleton
    multiple = skeleton.channel_multiple
    ideal = [max(width * scale, multiple) for scale in (skeleton.stem_scale, *skeleton.scales)]
    costliest = np.array(skeleton.channels(width))
    for reach in _REACHES:
        mesh = _mesh(skeleton.channels(width), multiple, reach)
        costs = budget.costs(cell, frame, mesh)
        meets = budget.met_by(costs)
        if meets.any():
            distance = sum(np.log(values / share) ** 2 for values, share in zip(mesh, ideal, strict=True))
            return _channels_at(mesh, np.where(meets, -distance, -np.inf))
        if reach == _REACHES[0]:
            costliest = _channels_at(mesh, np.where(costs <= budget.amount, costs, -1))
    return costliest


def _channels_at(mesh: tuple[np.ndarray, ...], values: np.ndarray) -> np.ndarray:
    """Return the channels of an open mesh at which a value is largest."""
    place = np.unravel_index(np.argmax(values), values.shape)
    return np.array([channels.ravel()[index] for channels, index in zip(mesh, place, strict=True)])


def _mesh(channels: tuple[int, ...], multiple: int, reach: int) -> tuple[np.ndarray, ...]:
    """Return an open mesh of channels around the given ones, up to `reach` multiples away."""
    offsets = multiple * np.arange(-reach, reach + 1)
    return np.ix_(*(value + offsets[value + offsets > 0] for value in channels))
