"""Parameters of the score of a cell; as in `config.search`."""

from collections.abc import Callable
from dataclasses import dataclass

from nasgem_core.config.checked_fields import bounded
from nasgem_core.config.choices import OBJECTIVES
from nasgem_core.counts import read_count
from nasgem_core.durations import read_duration
from nasgem_core.errors import ParameterError

BUDGETED: dict[str, tuple[Callable[[str], int | None], str]] = {
    "macs": (read_count, "a number of macs such as 20M or 800k"),
    "params": (read_count, "a number of params such as 20M or 800k"),
    "latency": (read_duration, "a time such as 2ms or 800us"),
}
"""Objectives that `score.budget` can limit, each with what reads its budgets and what these are."""


@dataclass(frozen=True)
class ScoreConfig:
    """Efficiency score: accuracy - penalty * log10(cost in millions) (Eq. 5)."""

    penalty: float = bounded(0.1, low=0.0, high=100.0)
    """Lambda of the score."""
    objective: str = "macs"
    """What is charged: macs as in the paper, or another objective such as latency."""
    budget: str = ""
    """Build each cell to this cost, such as 20M or 2ms; score: accuracy. Empty: Eq. 5.

    It is in multiply-adds, learnable numbers or time, as the objective says, of the network of section `gemnet`."""
    latency_table: str = "data/latency/search/latency.parquet"
    """Table of `nasgem latency`; only read with the objective latency."""

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise ParameterError(
                f"score.objective = {self.objective!r}: must be one of {', '.join(OBJECTIVES.names())}"
            )
        *names, last = BUDGETED
        if self.budget and self.objective not in BUDGETED:
            raise ParameterError(
                f"score.budget = {self.budget!r} with score.objective = {self.objective!r}: a budget can limit "
                f"{', '.join(names)} or {last}; set score.objective to one of these, or leave score.budget empty"
            )
        if self.budget and self.limit is None:
            raise ParameterError(f"score.budget = {self.budget!r}: must be empty, or {BUDGETED[self.objective][1]}")

    @property
    def limit(self) -> int | None:
        """The budget as a number, of nanoseconds where it limits latency; None without one."""
        return BUDGETED[self.objective][0](self.budget) if self.budget else None
