"""MobileNetV2 of the width at which its multiply-adds meet a budget: the rival that GEMNet meets at equal costs."""

from functools import cache

import torch

from nasgem_core.backbones.budget import NEAREST, macs_text
from nasgem_core.backbones.counting import count_costs
from nasgem_core.backbones.published.mobile import mobilenet_v2
from nasgem_core.backbones.published.strides import suitable_stride
from nasgem_core.backbones.spec import MobileNetSpec
from nasgem_core.errors import ParameterError

TOLERANCE = 0.01
_STEPS_A_UNIT = 40
_WIDTHS = range(4, 4 * _STEPS_A_UNIT + 1)
"""Width multipliers that are looked at, .1 to 4, in fortieths; channels are rounded to multiples of 8 in any case."""


def mobilenet_to_budget(num_classes: int, image_size: tuple[int, int], macs: int) -> MobileNetSpec:
    """Return the MobileNetV2 whose multiply-adds are within 1 % of a budget.

    All its channels follow one multiplier, so that many budgets fall between two of its sizes.

    Args:
        num_classes: length of the logits.
        image_size: height and width that the budget holds for; small images are halved less often.
        macs: the budget.

    Raises:
        ParameterError: no width meets it; the message names the nearest multiply-adds that one does.
    """
    stride = suitable_stride(image_size)

    def macs_of(step: int) -> int:
        return _macs(step / _STEPS_A_UNIT, stride, num_classes, image_size)

    # The costs rise with the width: look for the last one that is not above the budget.
    low, high = _WIDTHS[0], _WIDTHS[-1]
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if macs_of(middle) <= macs else (low, middle)
    nearest = min((low, high), key=lambda step: abs(macs_of(step) - macs))
    if abs(macs_of(nearest) - macs) > TOLERANCE * macs:
        raise ParameterError(
            f"macs = {macs_text(macs)} cannot be met by a MobileNetV2 within 1 %: the nearest sizes have "
            f"{macs_text(macs_of(low), NEAREST)} and {macs_text(macs_of(high), NEAREST)}; choose one of these"
        )
    return MobileNetSpec("mobilenet_v2", num_classes, image_size, nearest / _STEPS_A_UNIT, stride)


@cache
def _macs(width: float, stride: int, num_classes: int, image_size: tuple[int, int]) -> int:
    with torch.device("meta"):
        return count_costs(mobilenet_v2(width, num_classes, stride), image_size).macs
