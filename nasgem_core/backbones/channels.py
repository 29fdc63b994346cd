"""The channels of GEMNet at which a cost, its multiply-adds or its parameters, meets a budget."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from nasgem_core.backbones.costs import gemnet_costs
from nasgem_core.backbones.layout import GEMNetLayout
from nasgem_core.backbones.skeleton import Skeleton
from nasgem_core.cells.cell import Cell
from nasgem_core.counts import DOWN, NEAREST, UP, count_text
from nasgem_core.errors import ParameterError

MAX_WIDTH = 2048
"""The largest width that is considered."""
TOLERANCE = 0.01
COST_WORDS = {"macs": "MACs", "params": "params"}
"""What a budget can limit, in words."""
_REACHES = (1, 2, 4)
"""Channel multiples by which a stage may differ from its share of the width, if no width meets the budget."""


@dataclass(frozen=True)
class Frame:
    """All of a GEMNet but its cell and its channels.

    Args:
        layout: skeleton and halvings.
        num_classes: length of the logits.
        image_size: height and width of the images.
    """

    layout: GEMNetLayout
    num_classes: int
    image_size: tuple[int, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "image_size", tuple(self.image_size))

    def costs(self, cell: Cell, channels: np.ndarray | tuple[np.ndarray, ...], cost: str) -> np.ndarray:
        """Return one of `COST_WORDS` for the network of a cell, for many choices of channels at once."""
        return getattr(gemnet_costs(cell, self.layout, channels, self.num_classes, self.image_size), cost)


@dataclass(frozen=True)
class Budget:
    """What the networks of all cells are to cost, within 1 %.

    Args:
        amount: multiply-adds of one image, or learnable numbers.
        cost: which of `COST_WORDS` it is.
    """

    amount: int
    cost: str = "macs"

    @property
    def words(self) -> str:
        """The budget in words, such as "20M MACs"."""
        return f"{count_text(self.amount)} {COST_WORDS[self.cost]}"

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
    least, most = frame.costs(cell, channels[[0, -1]].T, budget.cost)
    if not least * (1 - TOLERANCE) <= budget.amount <= most * (1 + TOLERANCE):
        raise ParameterError(
            f"{budget.cost} = {count_text(budget.amount)} cannot be met: the networks of this cell with layout "
            f"{frame.layout.name!r} have {count_text(least, UP)} to {count_text(most, DOWN)}; choose a budget "
            "in between"
        )
    costs = frame.costs(cell, channels.T, budget.cost)
    nearest = int(np.argmin(np.abs(costs - budget.amount)))
    width, chosen = float(widths[nearest]), channels[nearest]
    if not budget.met_by(costs[nearest]):
        chosen = _refine(cell, frame, width, budget)
    return width, tuple(int(value) for value in chosen)


def smallest_cost(cell: Cell, frame: Frame, cost: str) -> int:
    """Return the least that a network of a cell costs."""
    return int(frame.costs(cell, _widths(frame.layout.skeleton)[1][0], cost))


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
        costs = frame.costs(cell, mesh, budget.cost)
        meets = budget.met_by(costs)
        if meets.any():
            distance = sum(np.log(values / share) ** 2 for values, share in zip(mesh, ideal, strict=True))
            place = np.unravel_index(np.argmin(np.where(meets, distance, np.inf)), costs.shape)
            return np.array([values.ravel()[index] for values, index in zip(mesh, place, strict=True)])
        below = costs[costs < budget.amount].max(initial=0)
        above = costs[costs > budget.amount].min(initial=np.iinfo(np.int64).max)
    raise ParameterError(
        f"{budget.cost} = {count_text(budget.amount)} cannot be met within 1 % by channels divisible by {multiple}: "
        f"the nearest networks of this cell have {count_text(below, NEAREST)} and {count_text(above, NEAREST)}; choose "
        "one of these"
    )


def _meshes(channels: tuple[int, ...], multiple: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield open meshes of channels around the given ones, each larger than the one before."""
    for reach in _REACHES:
        offsets = multiple * np.arange(-reach, reach + 1)
        yield np.ix_(*(value + offsets[value + offsets > 0] for value in channels))
