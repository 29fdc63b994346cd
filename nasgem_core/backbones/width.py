"""The width of GEMNet at which its multiply-adds meet a budget."""

import math
from collections.abc import Iterator
from functools import cache

import numpy as np

from nasgem_core.backbones.budget import DOWN, NEAREST, UP, macs_text
from nasgem_core.backbones.costs import gemnet_costs
from nasgem_core.backbones.layout import GEMNetLayout
from nasgem_core.backbones.skeleton import Skeleton
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.errors import ParameterError

MAX_WIDTH = 2048
"""The largest width that is considered."""
TOLERANCE = 0.01
_REACHES = (1, 2, 4)
"""Channel multiples by which a stage may differ from its share of the width, if no width meets the budget."""


def fit_to_budget(
    name: str, cell: Cell, layout: GEMNetLayout, *, num_classes: int, image_size: tuple[int, int], macs: int
) -> GEMNetSpec:
    """Return the network of a cell whose multiply-adds are within 1 % of a budget.

    If widths exist whose channels, rounded to the skeleton's multiples, meet the budget, the nearest one is taken.
    Otherwise the channels of stem and stages are chosen one by one, as close to their shares of the width as the budget
    allows.

    Args:
        name: name of the network.
        cell: the graph.
        layout: skeleton and halvings.
        num_classes: length of the logits.
        image_size: height and width of the images.
        macs: the budget.

    Raises:
        ParameterError: no channels meet the budget; the message names the nearest budgets that can be met.
    """
    widths, channels = _widths(layout.skeleton)
    costs = gemnet_costs(cell, layout, channels.T, num_classes, image_size).macs
    if not costs[0] * (1 - TOLERANCE) <= macs <= costs[-1] * (1 + TOLERANCE):
        raise ParameterError(
            f"macs = {macs_text(macs)} cannot be met: the networks of this cell with layout {layout.name!r} have "
            f"{macs_text(costs[0], UP)} to {macs_text(costs[-1], DOWN)}; choose a budget in between"
        )
    nearest = int(np.argmin(np.abs(costs - macs)))
    width, chosen = float(widths[nearest]), channels[nearest]
    if not _meets(costs[nearest], macs):
        chosen = _refine(cell, layout, width, num_classes=num_classes, image_size=image_size, macs=macs)
    return GEMNetSpec(name, num_classes, image_size, cell, layout, width, tuple(int(value) for value in chosen))


def _meets(costs: np.ndarray, macs: int) -> np.ndarray:
    return np.abs(costs - macs) <= TOLERANCE * macs


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


def _refine(
    cell: Cell, layout: GEMNetLayout, width: float, *, num_classes: int, image_size: tuple[int, int], macs: int
) -> np.ndarray:
    """Return the channels within the budget whose ratios to their shares of the width are nearest to 1."""
    skeleton, multiple = layout.skeleton, layout.skeleton.channel_multiple
    ideal = [max(width * scale, multiple) for scale in (skeleton.stem_scale, *skeleton.scales)]
    below, above = 0, 0
    for mesh in _meshes(skeleton.channels(width), multiple):
        costs = gemnet_costs(cell, layout, mesh, num_classes, image_size).macs
        meets = _meets(costs, macs)
        if meets.any():
            distance = sum(np.log(values / share) ** 2 for values, share in zip(mesh, ideal, strict=True))
            place = np.unravel_index(np.argmin(np.where(meets, distance, np.inf)), costs.shape)
            return np.array([values.ravel()[index] for values, index in zip(mesh, place, strict=True)])
        below, above = costs[costs < macs].max(initial=0), costs[costs > macs].min(initial=np.iinfo(np.int64).max)
    raise ParameterError(
        f"macs = {macs_text(macs)} cannot be met within 1 % by channels divisible by {multiple}: the nearest "
        f"networks of this cell have {macs_text(below, NEAREST)} and {macs_text(above, NEAREST)}; choose one of these"
    )


def _meshes(channels: tuple[int, ...], multiple: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield open meshes of channels around the given ones, each larger than the one before."""
    for reach in _REACHES:
        offsets = multiple * np.arange(-reach, reach + 1)
        yield np.ix_(*(value + offsets[value + offsets > 0] for value in channels))
