"""Mobile networks with the width at which their multiply-adds meet a budget: the rivals of GEMNet at equal costs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import torch

from nasgem_core.backbones.published.strides import suitable_stride
from nasgem_core.backbones.spec import ScaledSpec
from nasgem_core.counts import DOWN, UP, count_text
from nasgem_core.errors import ParameterError

TOLERANCE = 0.01
_STEPS = 40
_WIDTHS = range(4, 4 * _STEPS + 1)
"""Width multipliers to choose from where channels are rounded to multiples of 8: .1 to 4 in fortieths."""
_FINER = 50
_FINER_MULTIPLES = (4, 2, 1)
"""Fiftieths of such a step, and what channels are rounded to multiples of with them."""
_RAISE, _MOST_RAISES = 1.01, 500


def scaled_to_budget(family: str, num_classes: int, image_size: tuple[int, int], macs: int) -> ScaledSpec:
    """Return the network of a family whose multiply-adds are within 1 % of a budget.

    One multiplier scales all its channels. Where rounding them to multiples of 8, as published, leaves no network
    within 1 %, they are rounded to multiples of 4, 2 or 1.

    Args:
        family: one of `SCALABLE`; it is the name of the network as well.
        num_classes: length of the logits.
        image_size: height and width of the images; small ones are halved less often.
        macs: the budget.

    Raises:
        ParameterError: no width meets the budget; the message names the smallest and the largest size.
    """
    published = ScaledSpec(family, num_classes, image_size, family, 1.0, suitable_stride(image_size))
    low = _last_below(lambda step: _macs(replace(published, width=step / _STEPS)), _WIDTHS[0], _WIDTHS[-1], macs)
    sizes = [replace(published, width=step / _STEPS) for step in (low, low + 1)]
    nearest = min(sizes, key=lambda spec: abs(_macs(spec) - macs))
    if _meets(nearest, macs):
        return nearest
    for multiple in _FINER_MULTIPLES:
        finer = replace(published, multiple=multiple)
        first, last = _FINER * _WIDTHS[0], _FINER * _WIDTHS[-1]
        while first < last:
            middle = (first + last) // 2
            spec = replace(finer, width=middle / (_STEPS * _FINER))
            if _meets(spec, macs):
                return spec
            first, last = (middle + 1, last) if _macs(spec) < macs else (first, middle)
    smallest = replace(published, width=_WIDTHS[0] / _STEPS, multiple=_FINER_MULTIPLES[-1])
    ends = [_macs(smallest), _macs(replace(published, width=_WIDTHS[-1] / _STEPS))]
    raise ParameterError(
        f"macs = {count_text(macs)} cannot be met by {family} within 1 %: its networks have {count_text(ends[0], UP)} "
        f"to {count_text(ends[1], DOWN)}; choose a budget in between"
    )


def shared_budget(macs: int, fits: Sequence[Callable[[int], object]]) -> int:
    """Return the budget that all networks can meet: this one, or else a larger one, in steps of 1 %.

    A cell with many vertices has no small network.

    Args:
        macs: the budget.
        fits: for each network what sizes it to a budget, and raises `ParameterError` where it cannot.

    Raises:
        ParameterError: there is no such budget.
    """
    for number in range(_MOST_RAISES):
        budget = round(macs * _RAISE**number)
        try:
            for fit in fits:
                fit(budget)
        except ParameterError:
            continue
        return budget
    raise ParameterError(
        f"macs = {count_text(macs)}: there is no budget of this size or above that all networks can meet; train each "
        "with a budget of its own"
    )


def _last_below(size: Callable[[int], int], low: int, high: int, macs: int) -> int:
    """Return the last step, except `high`, whose multiply-adds are at most `macs`; else `low`."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size(middle) <= macs else (low, middle)
    return low


def _meets(spec: ScaledSpec, macs: int) -> bool:
    return abs(_macs(spec) - macs) <= TOLERANCE * macs


@cache
def _macs(spec: ScaledSpec) -> int:
    with torch.device("meta"):
        return spec.build().macs(spec.image_size)
