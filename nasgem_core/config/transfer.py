"""Parameters of the stages after the search, which build and train networks of its cells; as in `config.search`."""

from dataclasses import dataclass, field
from itertools import pairwise

from nasgem_core.config.checked_fields import bounded, choice, require_distinct, require_order, require_pair
from nasgem_core.errors import ParameterError

DETECTORS = ("retinanet", "faster_rcnn")
"""One stage (Lin et al. 2017b), and two stages with a feature pyramid (Ren et al. 2015, Lin et al. 2017a)."""


@dataclass(frozen=True)
class FinalistsConfig:
    """Best cells of the search, compared on the target's images at its budget.

    Their networks are trained in rungs, by successive halving (Jamieson and Talwalkar 2016). Images and recipe are
    those of section `imagenet`, skeleton and blocks those of section `gemnet`.
    """

    cells: int = bounded(20, low=0, high=1000)
    """Best cells of the search whose networks are trained; 0: none, as in the paper."""
    rungs: tuple[int, ...] = bounded((2, 4, 8), low=1, high=10_000)
    """Epochs trained by the end of each rung; the schedule is as long as the last."""
    keep: float = bounded(0.5, low=0.01, high=0.99)
    """Share of the cells of a rung that go on to the next, rounded up."""

    def __post_init__(self) -> None:
        if any(a >= b for a, b in pairwise(self.rungs)):
            raise ParameterError(f"finalists.rungs = {list(self.rungs)}: epochs must rise")


@dataclass(frozen=True)
class GemnetConfig:
    """Networks of the chosen cell, each sized to a budget (paper, section 4)."""

    macs: tuple[int, ...] = bounded((463_000_000, 563_000_000), low=1, high=10**15)
    """Most multiply-adds of each network, for gemnet_a, gemnet_b and so on."""
    layout: str = choice("imagenet", "imagenet", "tiny", "cifar")
    """How often images are halved; the weights are the same."""
    skeleton: str = choice("mobile", "paper", "mobile", "mobile_8")
    """What is stacked: scales, repeats, head, and where an activation follows."""
    nonlinearity: str = choice("relu", "relu", "hard_swish")
    """Activation of the later stages and the head; `paper` has relu."""
    squeeze: float = bounded(0.0, low=0.0, high=1.0)
    """Share of a block's channels inside its squeeze-and-excitation; 0: none, as `paper`."""
    dropout: float = bounded(0.0, low=0.0, high=0.99)
    """Share of values before the classifier left out in training; 0 in `paper`."""
    stochastic_depth: float = bounded(0.0, low=0.0, high=0.99)
    """Share of images whose last residual block is left out in training; 0 in `paper`."""
    image_size: int = bounded(224, low=32, high=4096)
    """Height and width of the images that the budgets hold for, in pixels."""
    classes: int = bounded(1000, low=1, high=1_000_000)
    """Length of the logits."""

    def __post_init__(self) -> None:
        require_distinct("gemnet.macs", tuple(str(macs) for macs in self.macs), "budget")
        if len(self.macs) > 26:
            raise ParameterError(f"gemnet.macs holds {len(self.macs)} budgets: at most 26, one per letter of the names")


@dataclass(frozen=True)
class ImagenetConfig:
    """Networks trained to classify images (paper, section 4; AutoShrink)."""

    dataset: str = ""
    """A folder with a folder per class, or train/ and val/ with these; empty: skipped."""
    networks: tuple[str, ...] = ("gemnet", "mobilenet_v2")
    """gemnet, rivals, published networks, known blocks, or files.

    `gemnet` are those of `data/gemnet`; the rivals mobilenet_v2, mobilenet_v3_small, mobilenet_v3_large and
    efficientnet_b0 and all networks of cells are sized to `macs`. Files hold a cell or a network."""
    macs: tuple[int, ...] = bounded((18_970_000,), low=0, high=10**12, or_single=True)
    """Most multiply-adds that networks may have, one or several; 0: as GEMNet was built.

    They are those of one image of `image_size`. With several, each network is trained at each of them."""
    weights: tuple[str, ...] = field(default=(), metadata={"may_be_empty": True})
    """Weights to begin with: exported folders, files of a stage or torchvision's.

    Each network takes the first whose names and shapes are its own; its classifier is new for other classes."""
    image_size: int = bounded(64, low=32, high=1024)
    """Height and width of the images that the networks see, in pixels."""
    seeds: int = bounded(3, low=1, high=1000)
    """Trainings of each network, each from a seed of its own."""
    epochs: int = bounded(25, low=1, high=10_000)
    """Passes over the training images."""
    least_steps: int = bounded(2_000, low=0, high=100_000_000)
    """With few images, smaller batches and more epochs, to reach so many steps; 0: never.

    Trainings that are shorter than `epochs` have the same share of it."""
    batch_size: int = bounded(64, low=2, high=65_536)
    """Images per step, over all processes and accumulated batches."""
    accumulate: int = bounded(1, low=1, high=65_536)
    """Batches that a step is cut into on each process, to save memory."""
    learning_rates: tuple[float, ...] = bounded((0.006, 0.012, 0.024), low=1e-8, high=100.0)
    """Highest rates of RMSProp for 256 images; each network gets its best.

    They are scaled with `batch_size`. With a single one nothing is tried."""
    tuning_epochs: int = bounded(8, low=1, high=10_000)
    """Epochs of the trainings that choose a learning rate, at most `epochs`."""
    tuning_share: float = bounded(0.2, low=0.001, high=0.5)
    """Share of each class's training images that judges learning rates and finalists."""
    warmup_epochs: float = bounded(1.0, low=0.0, high=1000.0)
    """Epochs over which the learning rate rises evenly."""
    weight_decay: float = bounded(4e-5, low=0.0, high=1.0)
    """L2 penalty of all weights but biases and those of batch normalisation."""
    averaging: float = bounded(0.995, low=0.0, high=0.999999)
    """Decay of the moving average of the weights; 0 averages nothing."""
    equal_dropout: bool = True
    """Give all networks the same dropout and stochastic depth, or leave each its own."""
    dropout: float = bounded(0.2, low=0.0, high=0.9)
    """Share of values before the classifier left out in training, where equal for all."""
    stochastic_depth: float = bounded(0.0, low=0.0, high=0.9)
    """Share of images whose last residual branch is left out in training; likewise."""
    label_smoothing: float = bounded(0.1, low=0.0, high=0.99)
    """Share of the target that is spread over all classes."""
    crop_area: tuple[float, float] = bounded((0.35, 1.0), low=0.01, high=1.0)
    """Smallest and largest share of an image's area that a random crop shows."""
    centre_share: float = bounded(1.0, low=0.1, high=1.0)
    """Validation sees the centre: its side by the image's short side."""
    broken_share: float = bounded(0.01, low=0.0, high=1.0)
    """Share of a split's images that may be unreadable; these are skipped with a message."""
    latency_passes: int = bounded(50, low=0, high=100_000)
    """Timed passes of each network in ONNX Runtime on one thread; 0 measures no latency."""

    def __post_init__(self) -> None:
        require_pair("imagenet.crop_area", self.crop_area, positive=True)
        _require_whole_batches("imagenet", self.batch_size, self.accumulate)
        require_distinct("imagenet.networks", self.networks, "network")
        require_distinct("imagenet.macs", tuple(map(str, self.macs)), "budget")
        if 0 in self.macs and len(self.macs) > 1:
            raise ParameterError(
                f"imagenet.macs = {list(self.macs)}: 0 takes GEMNet as it was built; it cannot be one of several"
            )
        require_distinct("imagenet.learning_rates", tuple(map(str, self.learning_rates)), "rate")


@dataclass(frozen=True)
class CocoConfig:
    """Detectors trained on the networks of stage imagenet (paper, section 4.1, Table 2)."""

    dataset: str = ""
    """A folder with annotations/ and images in COCO's format; without one: skipped.

    It has `annotations/instances_SPLIT.json` and the images in `SPLIT/`."""
    train: str = "train"
    """Name of the training split."""
    validation: str = "val"
    """Name of the split that detectors are measured on."""
    backbones: tuple[str, ...] = ("gemnet",)
    """Networks trained by stage imagenet.

    Of several seeds the best is taken."""
    detectors: tuple[str, ...] = DETECTORS
    """Kinds of detectors; each is trained on each backbone."""
    short_side: int = bounded(240, low=32, high=8192)
    """Images are resized until their shorter side has this many pixels."""
    long_side: int = bounded(320, low=32, high=8192)
    """Where the longer side would then exceed this, they are resized until it has it."""
    square: bool = True
    """Pad images to a square of the long side, not only to the largest of the batch."""
    pyramid_channels: int = bounded(64, low=8, high=4096)
    """Channels of the feature pyramid and of RetinaNet's heads."""
    box_channels: int = bounded(256, low=8, high=16_384)
    """Width of the two dense layers that judge a proposal of Faster R-CNN."""
    sampled_proposals: int = bounded(64, low=4, high=4096)
    """Proposals per image that Faster R-CNN learns from."""
    group_normalisation: bool = True
    """Normalise the pyramid and RetinaNet's heads by groups of channels."""
    frozen_normalisation: bool = True
    """Keep the backbone's batch normalisation as its pre-training left it."""
    epochs: int = bounded(40, low=1, high=10_000)
    """Passes over the training images."""
    milestones: tuple[int, ...] = bounded((30, 37), low=1, high=10_000, may_be_empty=True)
    """Epochs after which the learning rate is divided by 10.

    One that is not before `epochs` changes nothing."""
    batch_size: int = bounded(4, low=1, high=65_536)
    """Images per step, over all processes and accumulated batches."""
    accumulate: int = bounded(1, low=1, high=65_536)
    """Batches that a step is cut into on each process, to save memory."""
    learning_rate: float = bounded(0.08, low=1e-8, high=100.0)
    """Highest learning rate of SGD for 16 images per step; RetinaNet takes half of it.

    It is scaled with `batch_size`."""
    warmup_steps: int = bounded(50, low=0, high=100_000_000)
    """Steps over which the learning rate rises evenly."""
    weight_decay: float = bounded(1e-4, low=0.0, high=1.0)
    """L2 penalty of all weights but biases and those of normalisation."""
    clip_norm: float = bounded(10.0, low=0.0, high=1e6)
    """Gradients are scaled down to this norm; 0 leaves them."""
    evaluate_epochs: int = bounded(5, low=1, high=10_000)
    """Epochs between two measurements of AP."""
    measured_train: int = bounded(208, low=0, high=1_000_000)
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
        require_order("coco.short_side", self.short_side, "coco.long_side", self.long_side)
        if any(a >= b for a, b in pairwise(self.milestones)):
            raise ParameterError(f"coco.milestones = {list(self.milestones)}: epochs must rise")


def _require_whole_batches(section: str, batch_size: int, accumulate: int) -> None:
    if batch_size % accumulate:
        raise ParameterError(
            f"{section}.batch_size = {batch_size}: must be a multiple of {section}.accumulate = {accumulate}, such as "
            f"{-(-batch_size // accumulate) * accumulate}"
        )
