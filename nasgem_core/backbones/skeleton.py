"""What copies of a cell are stacked into and joined by, whatever the size of the images; without torch."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from nasgem_core.cells.cell import Cell
from nasgem_core.errors import ParameterError

ACTIVATIONS = ("always", "never", "auto")
CHANNEL_MULTIPLES = (8, 4, 2)
NONLINEARITIES = ("relu", "hard_swish")
BLOCK_FIELDS = ("nonlinearity", "squeeze", "dropout", "stochastic_depth")
"""Fields of which a named skeleton may be given other values."""
_SEQUENCES = ("scales", "repeats")


@dataclass(frozen=True)
class Skeleton:
    """A stem, stages of repeated cells and a head (paper, section 4; the numbers are those of AutoShrink).

    Args:
        name: its word in parameters and files.
        stem_scale: channels of the stem as a multiple of the width.
        scales: channels of a vertex in each stage as a multiple of the width.
        repeats: cells in each stage.
        head_channels: output channels of the 1x1 convolution before the global average pooling.
        activation: where an activation follows a block's concatenated leaves, or their sum with the block's input:
            `always`, `never`, or `auto`: only where every leaf hangs on the input alone. Such a cell is linear without
            it; any other cell keeps its sums linear, as the blocks of MobileNetV2 do.
        channel_multiple: the channels of every vertex, stem and head are divisible by this.
        nonlinearity: the activation of the cells in the later half of the stages and of the head: `relu`, or
            `hard_swish`, which MobileNetV3 found to help there most; stem and earlier stages have ReLU.
        squeeze: every block ends in squeeze-and-excitation, before the sum, with this share of its channels inside; 0
            leaves it out.
        dropout: share of the values before the classifier that are left out in training.
        stochastic_depth: share of the images whose last residual block is left out in training; earlier ones less.

    Raises:
        ParameterError: a value is out of range, or the sequences differ in length.
    """

    name: str
    stem_scale: float = 1.0
    scales: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0)
    repeats: tuple[int, ...] = (1, 3, 4, 6, 4)
    head_channels: int = 1280
    activation: str = "always"
    channel_multiple: int = 8
    nonlinearity: str = "relu"
    squeeze: float = 0.0
    dropout: float = 0.0
    stochastic_depth: float = 0.0

    def __post_init__(self) -> None:
        for name in _SEQUENCES:
            object.__setattr__(self, name, tuple(getattr(self, name)))
        lengths = {name: len(getattr(self, name)) for name in _SEQUENCES}
        if len(set(lengths.values())) != 1 or not self.scales:
            raise ParameterError(
                f"skeleton {self.name!r}: {lengths} entries; give each stage one, the same number of each"
            )
        if min(self.repeats) < 1:
            raise ParameterError(f"skeleton {self.name!r}: repeats must be at least 1")
        if min(self.stem_scale, *self.scales) <= 0:
            raise ParameterError(f"skeleton {self.name!r}: stem_scale and scales must be above 0")
        self._require_one_of("activation", ACTIVATIONS)
        self._require_one_of("channel_multiple", CHANNEL_MULTIPLES)
        self._require_one_of("nonlinearity", NONLINEARITIES)
        for name, highest in (("squeeze", 1.0), ("dropout", 0.99), ("stochastic_depth", 0.99)):
            if not 0 <= getattr(self, name) <= highest:
                raise ParameterError(
                    f"skeleton {self.name!r}: {name} = {getattr(self, name)} must be between 0 and {highest}"
                )
        if self.head_channels < 1 or self.head_channels % self.channel_multiple:
            raise ParameterError(
                f"skeleton {self.name!r}: head_channels = {self.head_channels}, use a multiple of "
                f"{self.channel_multiple}"
            )

    def _require_one_of(self, name: str, allowed: Sequence[Any]) -> None:
        if getattr(self, name) not in allowed:
            raise ParameterError(
                f"skeleton {self.name!r}: {name} = {getattr(self, name)!r}, use one of {', '.join(map(str, allowed))}"
            )

    def activates(self, cell: Cell) -> bool:
        """Return whether an activation follows the blocks of a cell."""
        if self.activation == "auto":
            return all(not cell.adjacency[1:, leaf].any() for leaf in cell.leaves)
        return self.activation == "always"

    @property
    def hard_swish(self) -> tuple[bool, ...]:
        """For each stage, whether its activation is hard swish."""
        stages = len(self.scales)
        return tuple(self.nonlinearity == "hard_swish" and stage >= (stages + 1) // 2 for stage in range(stages))

    def channels(self, width: float) -> tuple[int, ...]:
        """Return the channels of the stem and of a vertex in each stage, rounded to multiples that are allowed."""
        multiple = self.channel_multiple
        return tuple(
            multiple * max(1, math.floor(width * scale / multiple + 0.5)) for scale in (self.stem_scale, *self.scales)
        )

    def check_channels(self, channels: Sequence[int]) -> tuple[int, ...]:
        """Return the channels of stem and stages; raises `ParameterError` where number or divisibility are wrong."""
        wanted, multiple = len(self.scales) + 1, self.channel_multiple
        if len(channels) != wanted or any(value < 1 or value % multiple for value in channels):
            raise ParameterError(
                f"channels = {list(channels)}: skeleton {self.name!r} takes {wanted} multiples of {multiple}, "
                "the stem's and then one per stage"
            )
        return tuple(channels)

    def to_dict(self) -> dict[str, Any]:
        """Return the skeleton as plain JSON values."""
        return {name: list(value) if name in _SEQUENCES else value for name, value in asdict(self).items()}


PAPER = Skeleton("paper")
"""The paper's; what it leaves open, the stem's width and the place of the ReLU, is our choice."""
MOBILE = Skeleton("mobile", repeats=(1, 2, 2, 3, 2), activation="auto", channel_multiple=4)
"""Fewer and wider cells with linear sums, for the small budgets of mobile networks."""
MOBILE_8 = replace(MOBILE, name="mobile_8", channel_multiple=8)
"""The same with fewer choices of channels, in which ONNX Runtime concatenates without rearranging values."""
SKELETONS = {skeleton.name: skeleton for skeleton in (PAPER, MOBILE, MOBILE_8)}
"""By name."""


def named_skeleton(name: str, **block: Any) -> Skeleton:
    """Return a skeleton by its name, with other blocks where asked for.

    Args:
        name: one of `SKELETONS`.
        block: values of `BLOCK_FIELDS`.

    Raises:
        ParameterError: the name is unknown, a value is out of range, or the paper's blocks would be changed.
    """
    if name not in SKELETONS:
        raise ParameterError(f"skeleton = {name!r}: choose one of {', '.join(SKELETONS)}")
    skeleton = replace(SKELETONS[name], **block)
    if name == PAPER.name and skeleton != PAPER:
        raise ParameterError(
            f"skeleton = {name!r} is the paper's, where {', '.join(BLOCK_FIELDS)} keep their defaults: leave them out, "
            f"or choose skeleton {MOBILE.name}"
        )
    return skeleton
