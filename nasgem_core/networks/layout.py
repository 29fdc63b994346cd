"""How cells are stacked into a network: widths, resolutions and channel arithmetic, without torch."""

from dataclasses import dataclass
from typing import Any

from nasgem_core.config.search import ProxyConfig
from nasgem_core.errors import ParameterError

STEM_KERNEL = 3
IMAGE_CHANNELS = 3


@dataclass(frozen=True)
class NetworkLayout:
    """A stem and one cell per stage (paper, section 3.2; widths as in AutoShrink).

    Args:
        width: channels of the stem, and of a vertex where the multiplier is 1.
        stages: width multiplier of each stage; each stage is one cell.
        stem_stride: stride of the 3x3 stem convolution.
        image_size: height and width of the images, in pixels.

    Raises:
        ParameterError: a value is below 1, or the image is too small for the number of halvings.
    """

    width: int
    stages: tuple[int, ...]
    stem_stride: int
    image_size: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "stages", tuple(self.stages))
        for name in ("width", "stem_stride", "image_size"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} = {getattr(self, name)}: must be at least 1")
        if not self.stages or min(self.stages) < 1:
            raise ParameterError(f"stages = {list(self.stages)}: give at least one multiplier, each at least 1")
        if min(self.resolutions) < 1:
            raise ParameterError(
                f"image_size = {self.image_size} is too small for stem_stride = {self.stem_stride} and "
                f"stages = {list(self.stages)}: each stage after the first halves the {self.resolutions[0]} pixels "
                f"that the stem leaves, and stage {self.resolutions.index(0)} would have none; "
                "use larger images or fewer stages"
            )

    @classmethod
    def from_proxy(cls, config: ProxyConfig, image_size: int) -> "NetworkLayout":
        """Return the layout of the proxy task for images of `image_size` pixels."""
        return cls(config.width, config.stages, config.stem_stride, image_size)

    def numbers(self) -> dict[str, Any]:
        """Return what `ProxyNetwork` takes of the layout, by keyword."""
        return {"width": self.width, "stages": self.stages, "stem_stride": self.stem_stride}

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of a vertex in each stage."""
        return tuple(self.width * multiplier for multiplier in self.stages)

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Height and width of the tensors in each stage; an odd pixel left over by a 2x2 pool is dropped."""
        stem = (self.image_size - 1) // self.stem_stride + 1
        return tuple(stem >> stage for stage in range(len(self.stages)))
