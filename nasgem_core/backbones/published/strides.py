"""Fewer halvings for small images: the same weights with other strides in the first layers."""

from collections.abc import Sequence

from nasgem_core.errors import ParameterError

STRIDE = 32
"""Stride of the coarsest map of every published network."""
_EARLY = {32: (2, 2), 16: (1, 2), 8: (1, 1)}


def early_strides(stride: int) -> tuple[int, int]:
    """Return the strides of a network's first two halvings that give its coarsest map the stride `stride`.

    Published networks have stride 32. With it, images of 64 and 32 pixels would shrink to 2x2 and one pixel; strides 16
    and 8 give them a last map of 4x4.

    Raises:
        ParameterError: the stride is not one of these.
    """
    if stride not in _EARLY:
        raise ParameterError(f"stride = {stride}: choose one of {', '.join(map(str, _EARLY))}")
    return _EARLY[stride]


def suitable_stride(image_size: tuple[int, int]) -> int:
    """Return the largest stride with which the last map has at least 4x4 pixels, or 8 if there is none."""
    return next((stride for stride in _EARLY if min(image_size) >= 4 * stride), min(_EARLY))


def last_of_each(strides: Sequence[int]) -> tuple[int, ...]:
    """Return, for each stride in ascending order, the position of the last map that has it."""
    return tuple(i for i, stride in enumerate(strides) if i + 1 == len(strides) or strides[i + 1] != stride)
