"""Parameters of the studies that accompany a search; as in `config.search`."""

from dataclasses import dataclass, field

from nasgem_core.config.checked_fields import bounded, require_distinct


@dataclass(frozen=True)
class AblationConfig:
    """Figure 6: the similarity loss over training for each n and d."""

    vertices: tuple[int, ...] = bounded((), low=2, high=250, may_be_empty=True)
    """Values of n; without any the stage is skipped."""
    dimensions: tuple[int, ...] = bounded((10, 30), low=1, high=1024)
    """Values of d."""
    pairs: int = bounded(5_000, low=100, high=10_000_000)
    """Pairs of each encoder."""
    iterations: int = bounded(400, low=1, high=10_000_000)
    """Optimiser steps of each encoder."""


@dataclass(frozen=True)
class BenchmarkConfig:
    """Predictors compared on imported tables of measured cells (paper, Tables 3 and 4)."""

    tables: tuple[str, ...] = field(default=(), metadata={"may_be_empty": True})
    """Names of imported tables in data/tables; without any the stage is skipped."""
    predictors: tuple[str, ...] = ("ensemble", "guided_autoencoder", "plain_autoencoder", "parameters", "random")
    """Names of predictors."""
    sizes: tuple[int, ...] = bounded((), low=4, high=1_000_000, may_be_empty=True)
    """Numbers of training cells; without any, those that are usual for the table."""
    splits: int = bounded(10, low=2, high=1000)
    """Random choices of the training cells, for means and intervals."""
    ranked: int = bounded(10_000, low=10, high=10_000_000)
    """How many of the other cells are ranked, at most."""
    queries: int = bounded(150, low=10, high=100_000)
    """Noisy observations that a search of a table may ask for."""
    searches: int = bounded(20, low=0, high=10_000)
    """Searches of each kind, for means; 0 for none."""

    def __post_init__(self) -> None:
        # What is named twice would be counted twice, and its intervals would come out too narrow.
        require_distinct("benchmark.tables", self.tables, "table")
        require_distinct("benchmark.predictors", self.predictors, "predictor")
