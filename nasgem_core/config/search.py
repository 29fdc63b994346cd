"""Parameters as frozen dataclasses, checked field by field when they are read.

There is one class per section of `params.yaml`. A field holds the default, which is that of the laptop profile, and the
range; the first line below it is the comment in `params.yaml`. A profile holds the values that differ.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from nasgem_core.config.checked_fields import as_in, bounded, choice, require_distinct, require_pair
from nasgem_core.config.documents import read_fields
from nasgem_core.config.score import ScoreConfig
from nasgem_core.config.studies import AblationConfig, BenchmarkConfig
from nasgem_core.config.transfer import CocoConfig, FinalistsConfig, GemnetConfig, ImagenetConfig
from nasgem_core.errors import ParameterError
from nasgem_core.operations.operation import MAX_OPERATIONS
from nasgem_core.operations.registry import OPERATIONS


@dataclass(frozen=True)
class CellsConfig:
    """The search space, and the law by which cells are drawn (paper, section 3.2).

    The law is our choice.
    """

    vertices: int = bounded(30, low=2, high=250)
    """Vertices n of the complete DAG that cells are sub-graphs of."""
    operations: tuple[str, ...] = ("conv1x1", "dwconv3x3")
    """Names of the operations that a vertex can be, at most 24."""
    edge_probability: tuple[float, float] = bounded((0.06, 0.3), low=0.0, high=1.0)
    """Interval that each cell draws its edge probability from, log-uniformly.

    So sizes and multiply-adds spread."""

    def __post_init__(self) -> None:
        require_pair("cells.edge_probability", self.edge_probability, positive=True)
        if not self.operations:
            raise ParameterError("cells.operations is empty: name at least one operation")
        require_distinct("cells.operations", self.operations, "operation")
        if len(self.operations) > MAX_OPERATIONS:
            raise ParameterError(
                f"cells.operations has {len(self.operations)} names: at most {MAX_OPERATIONS} are possible; leave out "
                "those that you expect least of"
            )
        for name in self.operations:
            if name not in OPERATIONS:
                known = ", ".join(OPERATIONS.names())
                raise ParameterError(f"cells.operations holds {name!r}: known operations are {known}")


@dataclass(frozen=True)
class PairsConfig:
    """Step (a): pairs of cells that the encoder learns from."""

    count: int = bounded(50_000, low=100, high=10_000_000)
    """Number of pairs."""
    independent: float = bounded(0.25, low=0.0, high=1.0)
    """Share of pairs whose two cells are drawn independently.

    The others are a cell and an edited copy of it."""
    max_edits: int = bounded(40, low=1, high=1000)
    """An edited copy differs by 0 to this many random edits."""


@dataclass(frozen=True)
class LabelsConfig:
    """Weisfeiler-Lehman labels (Eq. 1)."""

    iterations: int = bounded(1, low=0, high=20)
    """Refinement rounds h of the kernel."""


@dataclass(frozen=True)
class EncoderConfig:
    """The kernel-guided autoencoder (Eq. 4)."""

    dimension: int = bounded(32, low=1, high=1024)
    """Length d of an embedding."""
    hidden: tuple[int, ...] = bounded((256,), low=1, high=8192)
    """Widths of the encoder's hidden layers; the decoder mirrors them."""
    iterations: int = bounded(1_500, low=1, high=10_000_000)
    """Optimiser steps."""
    batch_size: int = bounded(256, low=2, high=65_536)
    """Pairs per step."""
    learning_rate: float = bounded(2e-3, low=1e-8, high=10.0)
    """Peak learning rate of Adam, which follows a cosine to zero."""
    similarity_weight: float = bounded(10.0, low=0.0, high=1e6)
    """Weight of the similarity loss L_s; 0 makes a plain autoencoder."""
    reconstruction_weight: float = bounded(1.0, low=0.0, high=1e6)
    """Weight of the mean of the two reconstruction losses L_r; 2 is their sum (Eq. 4)."""
    holdout: float = bounded(0.1, low=0.01, high=0.5)
    """Share of the pairs that is not trained on, for the reported figures."""

    def __post_init__(self) -> None:
        if self.similarity_weight == 0 and self.reconstruction_weight == 0:
            raise ParameterError(
                "encoder.similarity_weight and encoder.reconstruction_weight are both 0: "
                "nothing would be learned; set one of them above 0"
            )


@dataclass(frozen=True)
class ProxyConfig:
    """Step (b): the network of a cell, and how it is trained to judge the cell.

    Paper, sections 3.2 and 4; what these leave open is as in AutoShrink.
    """

    dataset: str = field(default="cifar10_proxy", metadata={"in_key": False})
    """cifar10_proxy (a tenth, bundled), cifar10 (all of it, fetched), or a folder.

    The folder has one folder of images per class, or `train/` and `val/` with these. CIFAR-10 is fetched to
    `data/raw`."""
    image_size: int = bounded(32, low=8, high=512)
    """Height and width in pixels; images of a folder are resized and cropped to it."""
    holdout: float = bounded(0.2, low=0.0, high=0.5, in_key=False)
    """Share of each class's training images in a folder that judges cells; 0: val/ does.

    With 0 the search chooses by the images that stage `imagenet` reports its results on, which then flatter it."""
    width: int = bounded(12, low=1, high=1024)
    """Channels of the stem, and of a vertex where the multiplier is 1."""
    stages: tuple[int, ...] = bounded((1, 2, 4), low=1, high=64)
    """Width multiplier of each stage.

    A stage is one copy of the cell; all but the first halve the resolution."""
    stem_stride: int = bounded(2, low=1, high=4)
    """Stride of the 3x3 stem convolution."""
    epochs: int = bounded(3, low=1, high=10_000)
    """Passes over the training images."""
    least_steps: int = bounded(100, low=0, high=1_000_000)
    """With few images, more epochs until a training has so many steps; 0: never."""
    batch_size: int = bounded(128, low=2, high=65_536)
    """Images per step."""
    learning_rate: float = bounded(4e-3, low=1e-8, high=10.0)
    """Peak learning rate of Adam: a short linear warm-up, then a cosine to zero."""
    weight_decay: float = bounded(1e-5, low=0.0, high=1.0)
    """L2 penalty."""
    augment: bool = False
    """Random horizontal flips, and shifts by up to 4 pixels."""
    network: str = choice("gemnet_short", "gemnet", "gemnet_short")
    """With `score.budget`: GEMNet in small, or the same with one cell per stage."""
    macs_share: float = bounded(0.125, low=0.001, high=1.0)
    """Its multiply-adds as a share of those of the wanted network."""


@dataclass(frozen=True)
class PredictorConfig:
    """What predicts scores, and so picks the cells that are trained (paper, section 3.2)."""

    kind: str = "gaussian_process"
    """perceptron: the paper's, on embeddings; the others read the cells.

    These are in `nasgem_core.predictors.catalogue`. The perceptron is always fitted, and reported as well."""
    target: str = choice("score", "score", "accuracy")
    """score as in the paper, or accuracy, from which the exact penalty is subtracted."""
    hidden: tuple[int, ...] = bounded((64, 64), low=1, high=8192)
    """Widths of the hidden layers of the perceptron."""
    iterations: int = bounded(500, low=1, high=1_000_000)
    """Steps of AdamW, each over all trained cells."""
    learning_rate: float = bounded(3e-3, low=1e-8, high=10.0)
    """Peak learning rate, which follows a cosine to zero."""
    weight_decay: float = bounded(0.1, low=0.0, high=10.0)
    """Decoupled weight decay of AdamW."""
    members: int = bounded(8, low=1, high=256)
    """Networks fitted from different starting points, whose mean predicts; the paper: 1."""
    earlier: tuple[str, ...] = field(default=(), metadata={"in_key": False, "may_be_empty": True})
    """Folders of earlier searches, whose trained cells the process learns from too."""


@dataclass(frozen=True)
class EstimatorConfig:
    """Rounds of training cells and refitting the predictor (paper, section 3.2)."""

    known: bool = True
    """Train known blocks, such as MobileNetV2's, as the first cells of round 0.

    Those whose operations are in the search space: `nasgem_core.cells.known_blocks`."""
    initial: int = bounded(20, low=4, high=1_000_000)
    """Random cells of round 0."""
    rounds: int = bounded(3, low=0, high=1000)
    """Rounds after it, at most."""
    patience: int = bounded(2, low=0, high=1000)
    """Rounds in a row without a better cell after which the rounds end; 0: never."""
    predicted: int = bounded(8, low=0, high=1_000_000)
    """Cells per round that the predictor ranks highest."""
    random: int = bounded(2, low=0, high=1_000_000)
    """Cells per round drawn at random, so that the trained cells are not all alike."""
    candidates: int = bounded(20_000, low=10, high=100_000_000)
    """Cells per round that the predictor chooses from."""
    edited: float = bounded(0.5, low=0.0, high=1.0)
    """Share of these that are edited copies of the best trained cells; 0: none."""


@dataclass(frozen=True)
class BootstrapConfig:
    """Step (c): bootstrap optimisation (Eq. 15), and random search to compare it with."""

    candidates: int = bounded(50_000, low=10, high=1_000_000_000)
    """Cells that are sampled, embedded and predicted."""
    edited: float = bounded(0.5, low=0.0, high=1.0)
    """Share of these that are edited copies of the best trained cells; 0: none."""
    top: int = bounded(10, low=1, high=100_000)
    """Best predicted cells that are then trained."""
    finalists: int = bounded(5, low=1, high=100_000)
    """Best measured cells that are trained again; the highest mean is chosen."""
    repeats: int = bounded(3, low=1, high=1_000)
    """Trainings of each finalist, and of the chosen cell afterwards.

    With 1, single trainings decide."""
    baseline: bool = False
    """Train as many random cells as the search did, and report the best for comparison."""


@dataclass(frozen=True)
class NasgemBenchConfig:
    """NASGEM-Bench: small cells that `nasgem stage nasgem_bench` trains (section 4).

    Distinct cells of one operation are trained once, some repeatedly. Images and stages are those of the proxy task;
    the rest of the training has values of its own.
    """

    vertices: int = bounded(6, low=2, high=7)
    """Vertices of a cell at most, the input included."""
    cells: int = bounded(1_000, low=2, high=1_000_000)
    """Cells that are drawn and trained; a smaller number keeps the first of them."""
    repeated: int = bounded(20, low=2, high=1_000_000)
    """How many of the cells, the first ones, are trained repeatedly."""
    runs: int = bounded(5, low=2, high=1_000)
    """Trainings of each of these, each from a seed of its own."""
    width: int = as_in(ProxyConfig, "width", 8)
    stem_stride: int = as_in(ProxyConfig, "stem_stride")
    epochs: int = as_in(ProxyConfig, "epochs")
    batch_size: int = as_in(ProxyConfig, "batch_size")
    learning_rate: float = as_in(ProxyConfig, "learning_rate", 1e-3)
    weight_decay: float = as_in(ProxyConfig, "weight_decay")
    augment: bool = as_in(ProxyConfig, "augment")

    def training(self, proxy: ProxyConfig) -> ProxyConfig:
        """Return how a cell is trained, on the images and with the stages of `proxy`."""
        own = ("width", "stem_stride", "epochs", "batch_size", "learning_rate", "weight_decay", "augment")
        return replace(proxy, **{name: getattr(self, name) for name in own})


@dataclass(frozen=True)
class SearchConfig:
    """All parameters of a search: the root seed and the sections."""

    seed: int = bounded(0, low=0, high=2**63 - 1)
    """Root of every random stream."""
    cells: CellsConfig = field(default_factory=CellsConfig)
    pairs: PairsConfig = field(default_factory=PairsConfig)
    labels: LabelsConfig = field(default_factory=LabelsConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    proxy: ProxyConfig = field(default_factory=ProxyConfig)
    score: ScoreConfig = field(default_factory=ScoreConfig)
    predictor: PredictorConfig = field(default_factory=PredictorConfig)
    estimator: EstimatorConfig = field(default_factory=EstimatorConfig)
    bootstrap: BootstrapConfig = field(default_factory=BootstrapConfig)
    ablation: AblationConfig = field(default_factory=AblationConfig)
    benchmark: BenchmarkConfig = field(default_factory=BenchmarkConfig)
    nasgem_bench: NasgemBenchConfig = field(default_factory=NasgemBenchConfig)
    finalists: FinalistsConfig = field(default_factory=FinalistsConfig)
    gemnet: GemnetConfig = field(default_factory=GemnetConfig)
    imagenet: ImagenetConfig = field(default_factory=ImagenetConfig)
    coco: CocoConfig = field(default_factory=CocoConfig)


def read_config(document: Any) -> SearchConfig:
    """Return the parameters of a parsed params file; raises `ParameterError`, also where one is missing."""
    return read_fields(SearchConfig, document, name_defaults=True)


def read_profile(document: Any) -> SearchConfig:
    """Return the defaults changed by a parsed profile, which holds what differs; raises `ParameterError`."""
    return read_fields(SearchConfig, document, base=SearchConfig())
