"""How copies of a cell are stacked into GEMNet: scales, repeats, halvings and channel arithmetic, without torch."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nasgem_core.errors import ParameterError

CHANNEL_MULTIPLE = 8
"""Channels of every vertex, stem and head are divisible by this."""
_SEQUENCES = ("scales", "repeats", "reduces")


@dataclass(frozen=True)
class GEMNetLayout:
    """The stack of method section 4: a stem, stages of repeated cells, a head.

    The halvings hold no weights: layouts that differ in `stem_stride` and `reduces` alone have the same state dict, so
    what was trained on small images goes on with large ones.

    Args:
        name: its word in parameters and files.
        stem_stride: stride of the 3x3 stem convolution.
        reduces: for each stage, whether the first cell's input vertex is a 2x2 max-pool with stride 2.
        stem_scale: channels of the stem as a multiple of the width.
        scales: channels of a vertex in each stage as a multiple of the width.
        repeats: cells in each stage.
        head_channels: output channels of the 1x1 convolution before the global average pooling.

    Raises:
        ParameterError: a value is out of range, or the sequences differ in length.
    """

    name: str
    stem_stride: int
    reduces: tuple[bool, ...]
    stem_scale: float = 1.0
    scales: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0)
    repeats: tuple[int, ...] = (1, 3, 4, 6, 4)
    head_channels: int = 1280

    def __post_init__(self) -> None:
        for name in _SEQUENCES:
            object.__setattr__(self, name, tuple(getattr(self, name)))
        lengths = {name: len(getattr(self, name)) for name in _SEQUENCES}
        if len(set(lengths.values())) != 1 or not self.scales:
            raise ParameterError(
                f"layout {self.name!r}: {lengths} entries; give each stage one, the same number of each"
            )
        if self.stem_stride < 1 or min(self.repeats) < 1:
            raise ParameterError(f"layout {self.name!r}: stem_stride and repeats must be at least 1")
        if min(self.stem_scale, *self.scales) <= 0:
            raise ParameterError(f"layout {self.name!r}: stem_scale and scales must be above 0")
        if self.head_channels < 1 or self.head_channels % CHANNEL_MULTIPLE:
            raise ParameterError(
                f"layout {self.name!r}: head_channels = {self.head_channels}, use a multiple of {CHANNEL_MULTIPLE}"
            )

    def numbers(self) -> dict[str, Any]:
        """Return what `PlainGEMNet` takes of the layout, by keyword."""
        return {name: getattr(self, name) for name in ("repeats", "reduces", "stem_stride", "head_channels")}

    @property
    def strides(self) -> tuple[int, ...]:
        """Pixels of the image that a pixel of each stage's output stands for, along each side."""
        return tuple(self.stem_stride * 2 ** sum(self.reduces[: stage + 1]) for stage in range(len(self.scales)))

    @property
    def feature_stages(self) -> tuple[int, ...]:
        """The last stage of each resolution, finest first."""
        following = (*self.reduces[1:], True)
        return tuple(stage for stage, reduced in enumerate(following) if reduced)

    def channels(self, width: float) -> tuple[int, ...]:
        """Return the channels of the stem and of a vertex in each stage, each rounded to a multiple of 8."""
        return tuple(
            CHANNEL_MULTIPLE * max(1, math.floor(width * scale / CHANNEL_MULTIPLE + 0.5))
            for scale in (self.stem_scale, *self.scales)
        )

    def resolutions(self, image_size: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        """Return height and width behind the stem, then those of each stage; an odd pixel of a 2x2 pool is dropped.

        Raises:
            ParameterError: the image is too small for the halvings.
        """
        sides = [tuple((side - 1) // self.stem_stride + 1 for side in image_size)]
        for reduced in self.reduces:
            sides.append(tuple(side // 2 if reduced else side for side in sides[-1]))
        if min(image_size) < 1 or min(sides[-1]) < 1:
            raise ParameterError(
                f"image_size = {list(image_size)} is too small for layout {self.name!r}, whose last stage has stride "
                f"{self.strides[-1]}: use larger images or a layout with fewer halvings"
            )
        return tuple((height, width) for height, width in sides)

    def to_dict(self) -> dict[str, Any]:
        """Return the layout as plain JSON values."""
        return {name: list(value) if name in _SEQUENCES else value for name, value in asdict(self).items()}


IMAGENET = GEMNetLayout("imagenet", stem_stride=2, reduces=(False, True, True, True, True))
TINY = GEMNetLayout("tiny", stem_stride=2, reduces=(False, False, True, True, True))
CIFAR = GEMNetLayout("cifar", stem_stride=1, reduces=(False, False, True, True, True))
LAYOUTS = {layout.name: layout for layout in (IMAGENET, TINY, CIFAR)}
"""By name, for images of 224, 64 and 32 pixels: the last stage has 7x7, 4x4 and 4x4 pixels."""
IMAGE_SIZES = {"imagenet": 224, "tiny": 64, "cifar": 32}
"""The side of the square images that each layout is made for."""


def named_layout(name: str) -> GEMNetLayout:
    """Return a layout by its name; raises `ParameterError` naming the known ones."""
    if name not in LAYOUTS:
        raise ParameterError(f"layout = {name!r}: choose one of {', '.join(LAYOUTS)}")
    return LAYOUTS[name]


def check_channels(layout: GEMNetLayout, channels: Sequence[int]) -> tuple[int, ...]:
    """Return the channels of stem and stages; raises `ParameterError` where number or divisibility are wrong."""
    wanted = len(layout.scales) + 1
    if len(channels) != wanted or any(value < 1 or value % CHANNEL_MULTIPLE for value in channels):
        raise ParameterError(
            f"channels = {list(channels)}: layout {layout.name!r} takes {wanted} multiples of {CHANNEL_MULTIPLE}, "
            "the stem's and then one per stage"
        )
    return tuple(channels)
