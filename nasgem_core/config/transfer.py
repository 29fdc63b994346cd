"""Parameters of the stages after the search, which build networks from its cell and train them; as in `config`."""

from dataclasses import dataclass

from nasgem_core.config.checked_fields import bounded, choice, require_distinct, require_pair
from nasgem_core.errors import ParameterError

DETECTORS = ("retinanet", "faster_rcnn")


@dataclass(frozen=True)
class GemnetConfig:
    """Networks of the chosen cell, sized to budgets (paper, section 4)."""

    macs: tuple[int, ...] = bounded((463_000_000, 563_000_000), low=1, high=10**15)
    """Budgets of multiply-adds, each met within 1 %; the first network is gemnet_a, the second gemnet_b."""
    layout: str = choice("imagenet", "imagenet", "tiny", "cifar")
    """How often images are halved; the weights are the same."""
    image_size: int = bounded(224, low=32, high=4096)
    """Height and width of the images that the budgets hold for."""
    classes: int = bounded(1000, low=1, high=1_000_000)

    def __post_init__(self) -> None:
        require_distinct("gemnet.macs", tuple(str(macs) for macs in self.macs), "budget")
        if len(self.macs) > 26:
            raise ParameterError(f"gemnet.macs holds {len(self.macs)} budgets: at most 26, one a letter of the names")


@dataclass(frozen=True)
class ImagenetConfig:
    """Training networks to classify images (paper, section 4; AutoShrink)."""

    dataset: str = ""
    """A folder with `train/` and `val/`, each holding a folder of images a class; without one the stage is skipped."""
    networks: tuple[str, ...] = ("gemnet",)
    """`gemnet` (those of `data/gemnet`), `mobilenet_v2` (sized to `macs`), or names of published networks."""
    macs: int = bounded(0, low=0, high=10**12)
    """Multiply-adds at `image_size` that GEMNet and MobileNetV2 are sized to; 0 takes GEMNet as it was built."""
    image_size: int = bounded(224, low=32, high=1024)
    seeds: int = bounded(1, low=1, high=1000)
    """Trainings of each network, each from a seed of its own."""
    epochs: int = bounded(300, low=1, high=10_000)
    batch_size: int = bounded(256, low=2, high=65_536)
    """Images of one step, over all processes and accumulated batches."""
    accumulate: int = bounded(1, low=1, high=65_536)
    """Batches that a step is cut into on each process, to save memory."""
    learning_rate: float = bounded(0.1, low=1e-8, high=100.0)
    """Highest learning rate of RMSProp for 256 images a step; scaled with `batch_size`."""
    warmup_epochs: float = bounded(5.0, low=0.0, high=1000.0)
    weight_decay: float = bounded(4e-5, low=0.0, high=1.0)
    averaging: float = bounded(0.999, low=0.0, high=0.999999)
    """Decay of the moving average of the weights; 0 averages nothing."""
    label_smoothing: float = bounded(0.1, low=0.0, high=0.99)
    crop_area: tuple[float, float] = bounded((0.08, 1.0), low=0.01, high=1.0)
    """Smallest and largest share of an image's area that a random crop shows."""
    centre_share: float = bounded(0.875, low=0.1, high=1.0)
    """Validation sees the centre: its side by the image's short side."""
    broken_share: float = bounded(0.01, low=0.0, high=1.0)
    """Share of unreadable images that is passed over."""

    def __post_init__(self) -> None:
        require_pair("imagenet.crop_area", self.crop_area, positive=True)
        _require_whole_batches("imagenet", self.batch_size, self.accumulate)
        require_distinct("imagenet.networks", self.networks, "network")


@dataclass(frozen=True)
class CocoConfig:
    """Training detectors on the networks of stage `imagenet` (paper 4.1, Table 2; the usual 1x schedule)."""

    dataset: str = ""
    """A folder with `annotations/instances_SPLIT.json` and images in `SPLIT/`; without one the stage is skipped."""
    train: str = "train2017"
    """Name of the training split."""
    validation: str = "val2017"
    """Name of the split that is measured on."""
    backbones: tuple[str, ...] = ("gemnet_a",)
    """Names of networks that stage `imagenet` has trained; of several seeds the best is taken."""
    detectors: tuple[str, ...] = DETECTORS
    """Each is trained on each backbone."""
    short_side: int = bounded(800, low=32, high=8192)
    """Images are resized until their shorter side has this many pixels."""
    long_side: int = bounded(1333, low=32, high=8192)
    """Where the longer side would then exceed this many, they are resized until it has them."""
    square: bool = False
    """Pad every image to a square of the long side, and not only to the largest of its batch."""
    pyramid_channels: int = bounded(256, low=8, high=4096)
    """Channels of the feature pyramid and of RetinaNet's heads."""
    box_channels: int = bounded(1024, low=8, high=16_384)
    """Width of the dense layers that judge a proposal of Faster R-CNN."""
    sampled_proposals: int = bounded(512, low=4, high=4096)
    """Proposals an image that Faster R-CNN learns from."""
    group_normalisation: bool = False
    """Normalise pyramid and RetinaNet's heads by groups of channels."""
    frozen_normalisation: bool = True
    """Keep the backbone's batch normalisation as its pre-training left it."""
    epochs: int = bounded(12, low=1, high=10_000)
    milestones: tuple[int, ...] = bounded((8, 11), low=1, high=10_000, may_be_empty=True)
    """Epochs after which the learning rate is divided by 10; one that is not before `epochs` changes nothing."""
    batch_size: int = bounded(16, low=1, high=65_536)
    """Images of one step, over all processes and accumulated batches."""
    accumulate: int = bounded(1, low=1, high=65_536)
    """Batches that a step is cut into on each process, to save memory."""
    learning_rate: float = bounded(0.02, low=1e-8, high=100.0)
    """Highest learning rate of SGD for 16 images a step, scaled with `batch_size`; RetinaNet takes half of it."""
    warmup_steps: int = bounded(500, low=0, high=100_000_000)
    weight_decay: float = bounded(1e-4, low=0.0, high=1.0)
    clip_norm: float = bounded(35.0, low=0.0, high=1e6)
    """Gradients are scaled down to this norm; 0 leaves them."""
    evaluate_epochs: int = bounded(1, low=1, high=10_000)
    """Epochs between two measurements of AP."""
    measured_train: int = bounded(0, low=0, high=1_000_000)
    """Training images on which AP is measured too."""
    samples: int = bounded(8, low=0, high=64)
    """Images of each measured split that are drawn with what was found."""

    def __post_init__(self) -> None:
        _require_whole_batches("coco", self.batch_size, self.accumulate)
        require_distinct("coco.backbones", self.backbones, "backbone")
        require_distinct("coco.detectors", self.detectors, "detector")
        unknown = [name for name in self.detectors if name not in DETECTORS]
        if unknown:
            raise ParameterError(f"coco.detectors holds {unknown[0]!r}: known are {', '.join(DETECTORS)}")
        if self.short_side > self.long_side:
            raise ParameterError(
                f"coco.short_side = {self.short_side}: it may not exceed coco.long_side, {self.long_side}"
            )
        if any(a >= b for a, b in zip(self.milestones, self.milestones[1:], strict=False)):
            raise ParameterError(f"coco.milestones = {list(self.milestones)}: epochs must rise")


def _require_whole_batches(section: str, batch_size: int, accumulate: int) -> None:
    if batch_size % accumulate:
        raise ParameterError(
            f"{section}.batch_size = {batch_size}: must be a multiple of {section}.accumulate = {accumulate}, such as "
            f"{-(-batch_size // accumulate) * accumulate}"
        )
