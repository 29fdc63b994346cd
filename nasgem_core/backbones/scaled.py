"""Mobile networks with the width at which they are the largest that a budget allows: the rivals of GEMNet."""

from dataclasses import replace
from functools import cache

from nasgem_core.backbones.channels import TOLERANCE
from nasgem_core.backbones.published.strides import suitable_stride
from nasgem_core.backbones.shapes import shapes_only
from nasgem_core.backbones.spec import ScaledSpec
from nasgem_core.counts import DOWN, UP, count_text
from nasgem_core.errors import ParameterError

_STEPS = 40
_WIDTHS = range(4, 4 * _STEPS + 1)
"""Width multipliers to choose from where channels are rounded to multiples of 8: .1 to 4 in fortieths."""
_FINER = 50
_FINER_MULTIPLES = (4, 2, 1)
"""Fiftieths of such a step, and what channels are rounded to multiples of with them."""


def scaled_to_budget(family: str, num_classes: int, image_size: tuple[int, int], macs: int) -> ScaledSpec:
    """Return the largest network of a family whose multiply-adds do not exceed a budget.

    One multiplier scales all its channels. Where rounding them to multiples of 8, as published, leaves more than 1 % of
    the budget unused, they are rounded to multiples of 4, 2 or 1.

    Args:
        family: one of `SCALABLE`; it is the name of the network as well.
        num_classes: length of the logits.
        image_size: height and width of the images; small ones are halved less often.
        macs: the budget.

    Raises:
        ParameterError: the smallest network exceeds the budget, or the largest is far below it; the message names it.
    """
    published = ScaledSpec(family, num_classes, image_size, family, 1.0, suitable_stride(image_size))
    found = _largest(published, 1, macs)
    for multiple in _FINER_MULTIPLES:
        if found is not None and _meets(found, macs):
            return found
        finer = _largest(replace(published, multiple=multiple), _FINER, macs)
        found = max(filter(None, (found, finer)), key=_macs, default=None)
    what = f"macs = {count_text(macs)} cannot be met by {family}"
    if found is None:
        smallest = _macs(replace(published, width=_WIDTHS[0] / _STEPS, multiple=_FINER_MULTIPLES[-1]))
        raise ParameterError(f"{what}: its networks have at least {count_text(smallest, UP)}; choose that or more")
    if found.width == _WIDTHS[-1] / _STEPS and not _meets(found, macs):
        raise ParameterError(f"{what}: its networks have at most {count_text(_macs(found), DOWN)}; choose that or less")
    return found


def _largest(spec: ScaledSpec, fine: int, macs: int) -> ScaledSpec | None:
    """Return the network of the largest width within the budget, None without one.

    Args:
        spec: all of the network but the width.
        fine: widths within one step of `_STEPS`; with more than one, any network that meets the budget will do.
        macs: the budget.
    """
    found = None
    first, last = fine * _WIDTHS[0], fine * _WIDTHS[-1]
    while first <= last and not (found is not None and fine > 1 and _meets(found, macs)):
        middle = (first + last) // 2
        tried = replace(spec, width=middle / (_STEPS * fine))
        if _macs(tried) <= macs:
            found, first = tried, middle + 1
        else:
            last = middle - 1
    return found


def _meets(spec: ScaledSpec, macs: int) -> bool:
    return (1 - TOLERANCE) * macs <= _macs(spec) <= macs


@cache
def _macs(spec: ScaledSpec) -> int:
    with shapes_only():
        return spec.build().macs(spec.image_size)
