"""Parameters as frozen dataclasses, checked field by field when they are read.

One class a section of `params.yaml`. A field's range stands beside its default; an unknown key, a missing one, a
wrong type or a value out of range raises `ParameterError` naming field, value and what is allowed.
"""

import math
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any

from nasgem_core.cells.operations import known_operations
from nasgem_core.errors import ParameterError


def bounded(
    default: Any = MISSING, *, low: float | None = None, high: float | None = None, may_be_empty: bool = False
) -> Any:
    """Declare a number, or a tuple of at least one number unless it may be empty, that must lie in [low, high]."""
    limits = {"low": -math.inf if low is None else low, "high": math.inf if high is None else high}
    metadata = {**limits, "may_be_empty": may_be_empty}
    return field(metadata=metadata) if default is MISSING else field(default=default, metadata=metadata)


def choice(default: str, *allowed: str) -> Any:
    """Declare a word that must be one of `allowed`."""
    return field(default=default, metadata={"allowed": allowed})


def _require_pair(name: str, pair: tuple[float, float], *, positive: bool) -> None:
    low, high = pair
    if low > high:
        raise ParameterError(f"{name} = {list(pair)}: the first value may not exceed the second")
    if positive and low <= 0:
        raise ParameterError(f"{name} = {list(pair)}: values must be above 0")


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
        _require_pair("cells.edge_probability", self.edge_probability, positive=True)
        if not self.operations:
            raise ParameterError("cells.operations is empty: name at least one operation")
        if len(set(self.operations)) != len(self.operations):
            raise ParameterError(f"cells.operations = {list(self.operations)}: each operation may stand once")
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
    similarity_weight: float = bounded(100.0, low=0.0, high=1e6)
    """Weight of the similarity loss L_s; 0 makes a plain autoencoder."""
    reconstruction_weight: float = bounded(1.0, low=0.0, high=1e6)
    """Weight of the reconstruction losses L_r."""
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
    """Efficiency score S = accuracy - penalty * log10(MACs in millions) (Eq. 5)."""

    penalty: float = bounded(0.1, low=0.0, high=100.0)
    """Penalty coefficient lambda."""


@dataclass(frozen=True)
class PredictorConfig:
    """From embedding to score: fully connected, ReLU, squared error (paper 3.2)."""

    target: str = choice("score", "score", "accuracy")
    """`score` as in the paper; `accuracy` predicts accuracy and adds the exact MAC term afterwards."""
    hidden: tuple[int, ...] = bounded((64, 64), low=1, high=8192)
    """Widths of the hidden layers."""
    iterations: int = bounded(500, low=1, high=1_000_000)
    """Full-batch steps of Adam."""
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


def read_config(document: Any) -> SearchConfig:
    """Check a parsed params file (every key present, none unknown) and return it; raises `ParameterError`."""
    return _read(SearchConfig, document, "")


def _read(cls: Any, document: Any, path: str) -> Any:
    where = path or "the parameters"
    if not isinstance(document, Mapping):
        raise ParameterError(f"{where} must be a mapping of names to values, found {document!r}")
    known = {item.name: item for item in fields(cls)}
    prefix = f"{path}." if path else ""
    for key in document:
        if key not in known:
            raise ParameterError(f"unknown parameter {prefix}{key}: {where} may hold {', '.join(known)}")
    missing = [name for name in known if name not in document]
    if missing:
        raise ParameterError(f"missing parameter {prefix}{missing[0]}: add it (the profiles have every parameter)")
    hints = typing.get_type_hints(cls)
    values = {}
    for name, item in known.items():
        if is_dataclass(hints[name]):
            values[name] = _read(hints[name], document[name], prefix + name)
        else:
            values[name] = _checked(prefix + name, document[name], hints[name], item.metadata)
    return cls(**values)


def _checked(name: str, value: Any, kind: Any, limits: Mapping[str, Any]) -> Any:
    if isinstance(kind, types.GenericAlias):
        inner = typing.get_args(kind)
        length = None if inner[-1] is Ellipsis else len(inner)
        filled = isinstance(value, list | tuple) and (bool(value) or limits.get("may_be_empty", False))
        if not filled or (length is not None and len(value) != length):
            least = "" if limits.get("may_be_empty", False) else " with at least one value"
            wanted = f"a list of {length} values" if length else f"a list{least}"
            raise ParameterError(f"{name} = {value!r}: must be {wanted}")
        return tuple(_checked(f"{name}[{i}]", item, inner[0], limits) for i, item in enumerate(value))
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        hint = ""
        if kind is float and isinstance(value, str):
            hint = "; YAML reads 1e-3 as text, write 1.0e-3 or 0.001"
        raise ParameterError(f"{name} = {value!r}: must be of type {kind.__name__}{hint}")
    if "low" in limits and not limits["low"] <= value <= limits["high"]:
        raise ParameterError(f"{name} = {value!r}: must lie between {limits['low']} and {limits['high']}")
    if "allowed" in limits and value not in limits["allowed"]:
        raise ParameterError(f"{name} = {value!r}: must be one of {', '.join(limits['allowed'])}")
    return value
