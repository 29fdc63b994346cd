"""MobileNetV2 with the width at which its multiply-adds meet a budget: the rival of GEMNet at equal costs."""

import itertools
from functools import cache

import torch

from nasgem_core.backbones.budget import NEAREST, macs_text
from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.layout import GEMNetLayout
from nasgem_core.backbones.published.mobile import mobilenet_v2
from nasgem_core.backbones.published.strides import suitable_stride
from nasgem_core.backbones.spec import MobileNetSpec
from nasgem_core.backbones.width import fit_to_budget
from nasgem_core.cells.cell import Cell
from nasgem_core.errors import ParameterError

TOLERANCE = 0.01
_STEPS_PER_UNIT = 40
_WIDTHS = range(4, 4 * _STEPS_PER_UNIT + 1)
"""Width multipliers to choose from, .1 to 4 in fortieths; channels are rounded to multiples of 8 in any case."""


def mobilenet_to_budget(num_classes: int, image_size: tuple[int, int], macs: int) -> MobileNetSpec:
    """Return the MobileNetV2 whose multiply-adds are within 1 % of a budget.

    One multiplier scales all its channels, so many budgets fall between two of its sizes.

    Args:
        num_classes: length of the logits.
        image_size: height and width of the images; small ones are halved less often.
        macs: the budget.

    Raises:
        ParameterError: no width meets the budget; the message names the two nearest sizes.
    """
    low = _last_below(num_classes, image_size, macs)
    sizes = {step: _macs(step, num_classes, image_size) for step in (low, low + 1)}
    nearest = min(sizes, key=lambda step: abs(sizes[step] - macs))
    if abs(sizes[nearest] - macs) > TOLERANCE * macs:
        raise ParameterError(
            f"macs = {macs_text(macs)} cannot be met by a MobileNetV2 within 1 %: the nearest sizes have "
            f"{macs_text(sizes[low], NEAREST)} and {macs_text(sizes[low + 1], NEAREST)}; choose one of these"
        )
    width = nearest / _STEPS_PER_UNIT
    return MobileNetSpec("mobilenet_v2", num_classes, image_size, width, suitable_stride(image_size))


def shared_budget(cell: Cell, layout: GEMNetLayout, num_classes: int, image_size: tuple[int, int], macs: int) -> int:
    """Return the budget that both the GEMNet of a cell and MobileNetV2 can meet: this one, or the next larger one.

    A cell with many vertices has no small network, because no vertex has fewer than 8 channels.

    Raises:
        ParameterError: there is no such budget.
    """
    first = _last_below(num_classes, image_size, macs) + 1
    sizes = (_macs(step, num_classes, image_size) for step in range(first, _WIDTHS[-1] + 1))
    for budget in itertools.chain([macs], (size for size in sizes if size > macs)):
        try:
            mobilenet_to_budget(num_classes, image_size, budget)
            fit_to_budget("gemnet", cell, layout, num_classes=num_classes, image_size=image_size, macs=budget)
        except ParameterError:
            continue
        return budget
    raise ParameterError(
        f"macs = {macs_text(macs)}: there is no budget of this size or above that both GEMNet of this cell and "
        "MobileNetV2 can meet; train each with a budget of its own"
    )


def _last_below(num_classes: int, image_size: tuple[int, int], macs: int) -> int:
    """Return the last step, except the largest one, whose multiply-adds are at most `macs`; else the first one."""
    low, high = _WIDTHS[0], _WIDTHS[-1]
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _macs(middle, num_classes, image_size) <= macs else (low, middle)
    return low


@cache
def _macs(step: int, num_classes: int, image_size: tuple[int, int]) -> int:
    with torch.device("meta"):
        network = mobilenet_v2(step / _STEPS_PER_UNIT, num_classes, suitable_stride(image_size))
        return count_costs(network, image_size).macs
