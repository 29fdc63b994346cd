"""How copies of a cell are stacked into GEMNet: the halvings that suit a size of images, and a skeleton; no torch."""

from dataclasses import dataclass, replace
from typing import Any

from nasgem_core.backbones.skeleton import PAPER, Skeleton, named_skeleton
from nasgem_core.cells.cell import Cell
from nasgem_core.errors import ParameterError


@dataclass(frozen=True)
class GEMNetLayout:
    """The stack of method section 4: a skeleton of stem, stages and head, and where it halves the resolution.

    The halvings hold no weights: layouts of the same skeleton have the same state dict, so what was trained on small
    images goes on with large ones.

    Args:
        name: the word for the halvings in parameters and files.
        stem_stride: stride of the 3x3 stem convolution.
        reduces: for each stage, whether the first cell's input vertex is a 2x2 max-pool with stride 2.
        skeleton: what is stacked.

    Raises:
        ParameterError: a value is out of range, or the skeleton has another number of stages.
    """

    name: str
    stem_stride: int
    reduces: tuple[bool, ...]
    skeleton: Skeleton = PAPER

    def __post_init__(self) -> None:
        object.__setattr__(self, "reduces", tuple(self.reduces))
        stages = len(self.skeleton.scales)
        if len(self.reduces) != stages:
            raise ParameterError(
                f"layout {self.name!r}: reduces has {len(self.reduces)} entries, and skeleton {self.skeleton.name!r} "
                f"{stages} stages; give each stage one"
            )
        if self.stem_stride < 1:
            raise ParameterError(f"layout {self.name!r}: stem_stride must be at least 1")

    def numbers(self, cell: Cell) -> dict[str, Any]:
        """Return what `PlainGEMNet` of a cell takes of the layout, by keyword."""
        return {
            "repeats": self.skeleton.repeats,
            "reduces": self.reduces,
            "stem_stride": self.stem_stride,
            "head_channels": self.skeleton.head_channels,
            "activate": self.skeleton.activates(cell),
            "hard_swish": self.skeleton.hard_swish,
            "squeeze": self.skeleton.squeeze,
            "dropout": self.skeleton.dropout,
            "stochastic_depth": self.skeleton.stochastic_depth,
        }

    @property
    def strides(self) -> tuple[int, ...]:
        """Pixels of the image that a pixel of each stage's output stands for, along each side."""
        return tuple(self.stem_stride * 2 ** sum(self.reduces[: stage + 1]) for stage in range(len(self.reduces)))

    @property
    def feature_stages(self) -> tuple[int, ...]:
        """The last stage of each resolution, finest first."""
        following = (*self.reduces[1:], True)
        return tuple(stage for stage, reduced in enumerate(following) if reduced)

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
        return {
            "name": self.name,
            "stem_stride": self.stem_stride,
            "reduces": list(self.reduces),
            "skeleton": self.skeleton.to_dict(),
        }


IMAGENET = GEMNetLayout("imagenet", stem_stride=2, reduces=(False, True, True, True, True))
TINY = GEMNetLayout("tiny", stem_stride=2, reduces=(False, False, True, True, True))
CIFAR = GEMNetLayout("cifar", stem_stride=1, reduces=(False, False, True, True, True))
LAYOUTS = {layout.name: layout for layout in (IMAGENET, TINY, CIFAR)}
"""By name, for images of 224, 64 and 32 pixels: the last stage has 7x7, 4x4 and 4x4 pixels. All in the paper's form."""
IMAGE_SIZES = {"imagenet": 224, "tiny": 64, "cifar": 32}
"""The side of the square images that each layout is made for."""


def named_layout(name: str, skeleton: str = PAPER.name, **block: Any) -> GEMNetLayout:
    """Return the halvings of a name with a skeleton of `named_skeleton`; raises `ParameterError` naming the known."""
    if name not in LAYOUTS:
        raise ParameterError(f"layout = {name!r}: choose one of {', '.join(LAYOUTS)}")
    return replace(LAYOUTS[name], skeleton=named_skeleton(skeleton, **block))
