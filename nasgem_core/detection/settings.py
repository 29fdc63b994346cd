"""What a detector is, apart from its backbone and its categories."""

from dataclasses import dataclass

from nasgem_core.config.checked_fields import as_in, bounded, choice, require_order
from nasgem_core.config.transfer import DETECTORS, CocoConfig
from nasgem_core.errors import ParameterError
from nasgem_core.training.classification import MEAN, STD

PAPER_SHORT_SIDE = 800
PAPER_LONG_SIDE = 1333


@dataclass(frozen=True)
class DetectorSettings:
    """Head, sizes and normalisation of a detector; the defaults are the paper's (Table 2).

    Raises:
        ParameterError: the short side exceeds the long side, or there are not three colours.
    """

    kind: str = choice("retinanet", *DETECTORS)
    short_side: int = as_in(CocoConfig, "short_side", PAPER_SHORT_SIDE)
    long_side: int = as_in(CocoConfig, "long_side", PAPER_LONG_SIDE)
    square: bool = as_in(CocoConfig, "square", False)
    """Otherwise only the images of a batch are padded, to a common size; small images are then padded so differently in
    training and detecting that what was learned hardly holds."""
    pyramid_channels: int = as_in(CocoConfig, "pyramid_channels", 256)
    box_channels: int = as_in(CocoConfig, "box_channels", 1024)
    sampled_proposals: int = as_in(CocoConfig, "sampled_proposals", 512)
    """At most a quarter of them on objects."""
    group_normalisation: bool = as_in(CocoConfig, "group_normalisation", False)
    """Groups of 8 channels (Wu and He 2018). Not in the paper: without a long pre-training of the backbone, detectors
    learn slowly otherwise (He et al. 2019)."""
    frozen_normalisation: bool = as_in(CocoConfig, "frozen_normalisation", True)
    """A detector is trained with a few images per device, whose own statistics are too noisy to train by; without
    pre-training there is nothing to keep."""
    mean: tuple[float, ...] = MEAN
    """Mean of each colour that the backbone was trained with, of values in 0..1."""
    std: tuple[float, ...] = bounded(STD, low=1e-6, high=1e6)
    """Standard deviation of each colour that the backbone was trained with."""

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            if len(getattr(self, name)) != 3:
                raise ParameterError(f"{name} = {list(getattr(self, name))}: give three numbers, one per colour")
        require_order("short_side", self.short_side, "long_side", self.long_side)

    @property
    def scale(self) -> float:
        """How much smaller objects are than at the paper's size, at most 1; anchors shrink with them."""
        return min(1.0, self.short_side / PAPER_SHORT_SIDE)
