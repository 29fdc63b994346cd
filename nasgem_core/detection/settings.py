"""What a detector is, apart from its backbone and its categories."""

from dataclasses import dataclass

from nasgem_core.config.checked_fields import bounded, choice
from nasgem_core.errors import ParameterError
from nasgem_core.training.classification import MEAN, STD

KINDS = ("retinanet", "faster_rcnn")
"""One stage (Lin et al. 2017b) and two stages with a feature pyramid (Ren et al. 2015, Lin et al. 2017a)."""
PAPER_SHORT_SIDE = 800
PAPER_LONG_SIDE = 1333


@dataclass(frozen=True)
class DetectorSettings:
    """Head, sizes and normalisation of a detector; the defaults are the paper's (Table 2).

    Raises:
        ParameterError: the short side exceeds the long side, or there are not three colours.
    """

    kind: str = choice("retinanet", *KINDS)
    short_side: int = bounded(PAPER_SHORT_SIDE, low=32, high=8192)
    """Images are resized until their shorter side has this many pixels."""
    long_side: int = bounded(PAPER_LONG_SIDE, low=32, high=8192)
    """Where the longer side would then exceed this many, they are resized until it has them."""
    square: bool = False
    """Pad every image to a square of the long side. Otherwise only those of a batch are padded, to a common size; small
    images are then padded so differently in training and detecting that what was learned hardly holds."""
    pyramid_channels: int = bounded(256, low=8, high=4096)
    """Channels of every map of the feature pyramid, and of RetinaNet's heads."""
    box_channels: int = bounded(1024, low=8, high=16_384)
    """Width of the two dense layers that judge a proposal of Faster R-CNN."""
    sampled_proposals: int = bounded(512, low=4, high=4096)
    """Proposals an image that Faster R-CNN learns from, a quarter of them on objects at most."""
    group_normalisation: bool = False
    """Normalise the pyramid and RetinaNet's heads by groups of 8 channels (Wu and He 2018). Not in the paper: without a
    long pre-training of the backbone, detectors learn slowly otherwise (He et al. 2019)."""
    frozen_normalisation: bool = True
    """Keep the batch normalisation of the backbone as it came from its pre-training. A detector is trained with a few
    images a device, whose own statistics are too noisy to train by; without pre-training there is nothing to keep."""
    mean: tuple[float, ...] = MEAN
    """Mean of each colour that the backbone was trained with, of values in 0..1."""
    std: tuple[float, ...] = bounded(STD, low=1e-6, high=1e6)
    """Standard deviation of each colour that the backbone was trained with."""

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            if len(getattr(self, name)) != 3:
                raise ParameterError(f"{name} = {list(getattr(self, name))}: give three numbers, one a colour")
        if self.short_side > self.long_side:
            raise ParameterError(
                f"short_side = {self.short_side} exceeds long_side = {self.long_side}: swap them or make them equal"
            )

    @property
    def scale(self) -> float:
        """How much smaller objects are than at the paper's size, at most 1; anchors shrink with them."""
        return min(1.0, self.short_side / PAPER_SHORT_SIDE)
