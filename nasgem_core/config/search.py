"""Parameters as frozen dataclasses, checked field by field when they are read.

One class a section of `params.yaml`. A field's range stands beside its default; an unknown key, a missing one, a
wrong type or a value out of range raises `ParameterError` naming field, value and what is allowed.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from nasgem_core.config.checked_fields import bounded, choice, read_fields, require_distinct, require_pair
from nasgem_core.config.transfer import CocoConfig, GemnetConfig, ImagenetConfig
from nasgem_core.errors import ParameterError
from nasgem_core.operations.operation import known_operations


@dataclass(frozen=True)
class CellsConfig:
    """The search space and the law cells are drawn by (paper 3.2; the law is our choice)."""

    vertices: int = bounded(30, low=2, high=250)
    """Vertices of the complete DAG that cells are sub-graphs of, n."""
    operations: tuple[str, ...] = ("conv1x1", "dwconv3x3")
    """Names of the operations a vertex can carry."""
    edge_probability: tuple[float, float] = bounded((0.06, 0.3), low=0.0, high=1.0)
    """Each cell draws its edge probability log-uniformly from this interval, so that sizes and MACs spread."""

    def __post_init__(self) -> None:
        require_pair("cells.edge_probability", self.edge_probability, positive=True)
        if not self.operations:
            raise ParameterError("cells.operations is empty: name at least one operation")
        require_distinct("cells.operations", self.operations, "operation")
        for name in self.operations:
            if name not in known_operations():
                known = ", ".join(known_operations())
                raise ParameterError(f"cells.operations holds {name!r}: known operations are {known}")


@dataclass(frozen=True)
class PairsConfig:
    """Pairs of cells that the encoder learns from."""

    count: int = bounded(50_000, low=100, high=10_000_000)
    """Number of pairs."""
    independent: float = bounded(0.25, low=0.0, high=1.0)
    """Share of pairs whose two cells are drawn independently; the others are a cell and an edited copy."""
    max_edits: int = bounded(40, low=1, high=1000)
    """An edited copy differs by 0 to this many random edits."""


@dataclass(frozen=True)
class LabelsConfig:
    """Weisfeiler-Lehman labels (Eq. 1)."""

    iterations: int = bounded(3, low=0, high=20)
    """Refinement rounds h."""


@dataclass(frozen=True)
class EncoderConfig:
    """The kernel-guided autoencoder (Eq. 4)."""

    dimension: int = bounded(32, low=1, high=1024)
    """Length d of an embedding."""
    hidden: tuple[int, ...] = bounded((256,), low=1, high=8192)
    """Widths of the encoder's hidden layers; the decoder mirrors them."""
    iterations: int = bounded(2_000, low=1, high=10_000_000)
    """Optimiser steps."""
    batch_size: int = bounded(256, low=2, high=65_536)
    """Pairs a step."""
    learning_rate: float = bounded(2e-3, low=1e-8, high=10.0)
    """Peak learning rate of Adam; it follows a cosine to zero."""
    similarity_weight: float = bounded(10.0, low=0.0, high=1e6)
    """Weight of the similarity loss L_s; 0 makes a plain autoencoder."""
    reconstruction_weight: float = bounded(1.0, low=0.0, high=1e6)
    """Weight of the mean of a pair's reconstruction losses L_r; 2 is their sum, as in Eq. 4."""
    holdout: float = bounded(0.1, low=0.01, high=0.5)
    """Share of the pairs kept for reporting."""

    def __post_init__(self) -> None:
        if self.similarity_weight == 0 and self.reconstruction_weight == 0:
            raise ParameterError(
                "encoder.similarity_weight and encoder.reconstruction_weight are both 0: "
                "nothing would be learned; set one of them above 0"
            )


@dataclass(frozen=True)
class ProxyConfig:
    """The proxy task: how a cell becomes a network and how that is trained (paper 3.2, 4; AutoShrink)."""

    dataset: str = field(default="cifar10_proxy", metadata={"in_key": False})
    """`cifar10_proxy` (bundled tenth), `cifar10` (all of it, fetched by torchvision into data/raw), or a folder
    with `train/` and `val/`, each holding a folder of images a class."""
    image_size: int = bounded(32, low=8, high=512)
    """Images of a folder are resized and cropped to this; CIFAR-10 has 32."""
    width: int = bounded(16, low=1, high=1024)
    """Channels of a vertex in the first stage."""
    stages: tuple[int, ...] = bounded((1, 2, 4), low=1, high=64)
    """Width multiplier of each stage; each stage is one cell, and all but the first halve the resolution."""
    stem_stride: int = bounded(1, low=1, high=4)
    """Stride of the 3x3 stem convolution."""
    epochs: int = bounded(20, low=1, high=10_000)
    batch_size: int = bounded(128, low=2, high=65_536)
    learning_rate: float = bounded(4e-3, low=1e-8, high=10.0)
    """Peak learning rate of Adam; it follows a cosine to zero after a short linear warm-up."""
    weight_decay: float = bounded(1e-5, low=0.0, high=1.0)
    """L2 penalty."""
    augment: bool = True
    """Random horizontal flips and shifts by up to 4 pixels."""


@dataclass(frozen=True)
class ScoreConfig:
    """Efficiency score S = accuracy - penalty * log10(MACs in millions, or latency in milliseconds) (Eq. 5)."""

    penalty: float = bounded(0.1, low=0.0, high=100.0)
    """Penalty coefficient lambda."""
    objective: str = choice("macs", "macs", "latency")
    """What is charged: `macs` as in the paper, or the `latency` of the proxy network on the user's device."""
    latency_table: str = "data/latency/search/latency.parquet"
    """The table of `nasgem latency` that latencies are taken from; only read with the objective `latency`."""


SEARCH_PREDICTORS = (
    "gaussian_process",
    "ensemble",
    "boosted_trees",
    "message_passing",
    "adjacency_mlp",
    "plain_autoencoder",
    "guided_autoencoder",
    "lstm",
    "gcn",
    "gates",
    "nas_bowl",
)
"""The predictors of the catalogue that can pick cells: all but the baselines."""


@dataclass(frozen=True)
class PredictorConfig:
    """From a cell to its score: fully connected, ReLU, squared error on embeddings (paper 3.2), or a process."""

    kind: str = choice("gaussian_process", "perceptron", *SEARCH_PREDICTORS)
    """What picks cells: `perceptron` as in the paper, on embeddings, or a predictor of
    `nasgem_core.predictors.catalogue`, which reads the cells. The perceptron is fitted in any case, and reported
    beside."""
    target: str = choice("score", "score", "accuracy")
    """`score` as in the paper; `accuracy` predicts accuracy, and the exact MAC term is subtracted afterwards."""
    hidden: tuple[int, ...] = bounded((64, 64), low=1, high=8192)
    """Widths of the hidden layers."""
    iterations: int = bounded(500, low=1, high=1_000_000)
    """Full-batch steps of AdamW."""
    learning_rate: float = bounded(3e-3, low=1e-8, high=10.0)
    weight_decay: float = bounded(0.1, low=0.0, high=10.0)
    members: int = bounded(8, low=1, high=256)
    """Networks fitted from different starting points; their mean predicts. 1 is the paper's single network."""


@dataclass(frozen=True)
class EstimatorConfig:
    """Rounds of training cells and refitting the predictor (paper 3.2)."""

    initial: int = bounded(20, low=4, high=1_000_000)
    """Random cells of round 0."""
    rounds: int = bounded(3, low=0, high=1000)
    """Rounds after it."""
    predicted: int = bounded(8, low=0, high=1_000_000)
    """Cells a round that the predictor ranks highest."""
    random: int = bounded(2, low=0, high=1_000_000)
    """Cells a round drawn at random, which keep the set honest."""
    candidates: int = bounded(20_000, low=10, high=100_000_000)
    """Cells a round that the predictor chooses from."""


@dataclass(frozen=True)
class BootstrapConfig:
    """Bootstrap optimisation (Eq. 15) and the random search beside it."""

    candidates: int = bounded(50_000, low=10, high=1_000_000_000)
    """Sampled cells that are embedded and predicted."""
    top: int = bounded(10, low=1, high=100_000)
    """Best predicted cells that are then trained; the best measured one is chosen."""
    baseline: bool = True
    """Train as many random cells as the search trained, and report their best beside it."""


@dataclass(frozen=True)
class AblationConfig:
    """Figure 6: similarity loss over training for each n and d."""

    vertices: tuple[int, ...] = bounded((10, 30, 50), low=2, high=250)
    dimensions: tuple[int, ...] = bounded((10, 30), low=1, high=1024)
    pairs: int = bounded(5_000, low=100, high=10_000_000)
    iterations: int = bounded(400, low=1, high=10_000_000)


@dataclass(frozen=True)
class BenchmarkConfig:
    """Predictors side by side on tables of measured cells (paper 4.3 and Tables 3 and 4)."""

    tables: tuple[str, ...] = field(default=(), metadata={"may_be_empty": True})
    """Names of imported tables in `data/tables`; without any the stage is skipped."""
    predictors: tuple[str, ...] = ("ensemble", "guided_autoencoder", "plain_autoencoder", "parameters", "random")
    """Names of predictors."""
    sizes: tuple[int, ...] = bounded((), low=4, high=1_000_000, may_be_empty=True)
    """Numbers of training cells; without any those that are usual for the table."""
    splits: int = bounded(10, low=2, high=1000)
    """Random choices of the training cells, over which means and intervals are taken."""
    ranked: int = bounded(10_000, low=10, high=10_000_000)
    """How many of the other cells are ranked, at most."""
    queries: int = bounded(150, low=10, high=100_000)
    """Noisy observations that a search of a table may ask for."""
    searches: int = bounded(20, low=0, high=10_000)
    """Searches of each kind, over which means are taken; 0 for none."""

    def __post_init__(self) -> None:
        # What stands twice would be counted twice, and its intervals would come out too narrow.
        require_distinct("benchmark.tables", self.tables, "table")
        require_distinct("benchmark.predictors", self.predictors, "predictor")


@dataclass(frozen=True)
class NasgemBenchConfig:
    """NASGEM-Bench: distinct small cells of one operation, each trained once, some repeatedly (paper, section 4).

    Images and stages are those of the proxy task; the rest of the training has values of its own.
    """

    vertices: int = bounded(6, low=2, high=7)
    """Vertices of a cell at most, the input included."""
    cells: int = bounded(1_000, low=2, high=1_000_000)
    """Cells that are drawn and trained; a smaller number keeps the first of them."""
    repeated: int = bounded(20, low=2, high=1_000_000)
    """How many of the cells, the first ones, are trained repeatedly."""
    runs: int = bounded(5, low=2, high=1_000)
    """Trainings of each of these, each from a seed of its own."""
    width: int = bounded(8, low=1, high=1024)
    """Channels of a vertex in the first stage."""
    stem_stride: int = bounded(2, low=1, high=4)
    epochs: int = bounded(3, low=1, high=10_000)
    batch_size: int = bounded(128, low=2, high=65_536)
    learning_rate: float = bounded(1e-3, low=1e-8, high=10.0)
    weight_decay: float = bounded(1e-5, low=0.0, high=1.0)
    augment: bool = False

    def training(self, proxy: ProxyConfig) -> ProxyConfig:
        """Return how a cell is trained, on the images and with the stages of `proxy`."""
        own = ("width", "stem_stride", "epochs", "batch_size", "learning_rate", "weight_decay", "augment")
        return replace(proxy, **{name: getattr(self, name) for name in own})


@dataclass(frozen=True)
class SearchConfig:
    """All parameters of a search: the root seed and one section a stage."""

    seed: int = bounded(0, low=0, high=2**63 - 1)
    """Root of every random stream."""
    cells: CellsConfig = CellsConfig()
    pairs: PairsConfig = PairsConfig()
    labels: LabelsConfig = LabelsConfig()
    encoder: EncoderConfig = EncoderConfig()
    proxy: ProxyConfig = ProxyConfig()
    score: ScoreConfig = ScoreConfig()
    predictor: PredictorConfig = PredictorConfig()
    estimator: EstimatorConfig = EstimatorConfig()
    bootstrap: BootstrapConfig = BootstrapConfig()
    ablation: AblationConfig = AblationConfig()
    benchmark: BenchmarkConfig = BenchmarkConfig()
    nasgem_bench: NasgemBenchConfig = NasgemBenchConfig()
    gemnet: GemnetConfig = field(default_factory=GemnetConfig)
    imagenet: ImagenetConfig = field(default_factory=ImagenetConfig)
    coco: CocoConfig = field(default_factory=CocoConfig)


def read_config(document: Any) -> SearchConfig:
    """Check a parsed params file (every key present, none unknown) and return it; raises `ParameterError`."""
    return read_fields(SearchConfig, document)
