"""What the efficiency score charges a cell for (paper, Eq. 5), as one value.

An objective is a sub-class of `Objective` in a module of its own in `nasgem_core.search.objectives`, whose last line
is `OBJECTIVE = TheClass`; the module's name is the objective's. An installed package adds more by entry points in the
group `nasgem.objectives`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.config.choices import OBJECTIVES
from nasgem_core.networks.complexity import Costs, cell_costs
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.search.score import Measured, efficiency_score


class Networks(Protocol):
    """What cells become, as far as their costs go."""

    def complexity(self, cells: CellBatch) -> Costs:
        """Return multiply-adds and parameters of the networks of B cells, by formula."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""


@dataclass(frozen=True)
class ProxyNetworks:
    """The networks that cells become in the proxy task.

    Args:
        layout: how they are stacked.
        num_classes: length of their logits.
    """

    layout: NetworkLayout
    num_classes: int

    def complexity(self, cells: CellBatch) -> Costs:
        """Return multiply-adds and parameters of the networks of B cells, by formula."""
        return cell_costs(cells, self.layout, self.num_classes)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; `networks_of` reads them."""
        return {"layout": asdict(self.layout), "num_classes": self.num_classes}


@dataclass(frozen=True, eq=False)
class MeasuredLatency:
    """The table of `nasgem latency`: N proxy networks and their latencies in milliseconds, [N]."""

    cells: CellBatch
    latency_ms: np.ndarray


@dataclass(frozen=True, eq=False)
class Objective(ABC):
    """What the score charges. Costs are whole numbers: millionths of `unit`, of which Eq. 5 takes the logarithm.

    So multiply-adds are charged in millions, latencies are counted in nanoseconds and charged in milliseconds. Another
    unit would only shift all scores by the same number.

    Args:
        name: the word in parameters.
        networks: what is charged for.
        penalty: lambda of Eq. 5.
    """

    name: str
    networks: Networks
    penalty: float

    label: ClassVar[str]
    """What is charged, in words, such as "latency"."""
    unit: ClassVar[str]
    """A million costs, such as "ms"."""
    in_every_table: ClassVar[bool] = False
    """Whether tables of cells have a column for it, whatever is charged."""
    needs_latency: ClassVar[bool] = False
    """Whether `open` is given the table of `nasgem latency`."""

    @classmethod
    def open(cls, name: str, networks: ProxyNetworks, penalty: float, measured: MeasuredLatency | None = None) -> Self:
        """Return the objective; `measured` is given where `needs_latency`."""
        return cls(name, networks, penalty)

    @abstractmethod
    def costs(self, cells: CellBatch) -> np.ndarray:
        """Return what each of B cells is charged, int64 [B], above 0."""

    def predicted_costs(self, cells: CellBatch) -> np.ndarray:
        """Return costs of very many cells, int64 [B], without looking up which of them were measured."""
        return self.costs(cells)

    def sources(self, cells: CellBatch) -> list[str]:
        """Return where the cost of each of B cells comes from; empty texts where it is exact for all."""
        return [""] * len(cells)

    def obstacles(self, cells: CellBatch) -> list[str]:
        """Return why each of B cells cannot be part of the search, in a few words; empty texts for those that can."""
        return [""] * len(cells)

    def remedy(self, cells: CellBatch, count: int) -> str:
        """Return what would make `count` of B cells part of the search, most of which have obstacles."""
        return ""

    @property
    def plotted(self) -> str:
        """What accuracies are plotted against, in words, such as "latency"; it is counted in `unit`."""
        return self.label

    def plotted_costs(self, cells: CellBatch) -> np.ndarray:
        """Return `plotted` of each of B cells, in millionths of the unit, [B]."""
        return self.costs(cells)

    def remark(self) -> str:
        """Return what a user has to know before relying on the costs; empty where there is nothing."""
        return ""

    @property
    def cost_column(self) -> str | None:
        """The name of the column of costs in tables, None where every table has one for them."""
        return None if self.in_every_table else f"{self.name}_{self.unit}"

    def columns(self, cells: CellBatch) -> dict[str, np.ndarray]:
        """Return what tables, reports and MLflow add for B cells: costs in `unit`, and their sources if there are any.

        The names are the objective's with the unit, such as "latency_ms", and "latency_from".
        """
        if self.cost_column is None:
            return {}
        columns = {self.cost_column: self.costs(cells) / 1e6}
        sources = self.sources(cells)
        return {**columns, f"{self.name}_from": np.array(sources, dtype=object)} if any(sources) else columns

    def score(self, accuracy: np.ndarray, costs: np.ndarray) -> np.ndarray:
        """Return the efficiency scores, float64 [B]; raises as `nasgem_core.search.score.efficiency_score`."""
        return efficiency_score(accuracy, costs, self.penalty)

    def measured(self, cells: CellBatch, accuracy: np.ndarray) -> Measured:
        """Return what a predictor learns from: the accuracies [N] of cells, with what they are charged."""
        return Measured(accuracy, self.costs(cells), self.penalty)

    @property
    def formula(self) -> str:
        """The score in words, such as "accuracy - 0.1 log10(latency in ms)"."""
        return self.formula_with(self.penalty)

    @classmethod
    def formula_with(cls, penalty: float) -> str:
        """Return the score in words with a penalty."""
        return f"accuracy - {penalty:g} log10({cls.cost_words()})"

    @classmethod
    def cost_words(cls) -> str:
        """Return the argument of the logarithm of Eq. 5, such as "latency in ms"."""
        return f"{cls.label} in {cls.unit}"

    def with_penalty(self, penalty: float) -> Self:
        """Return the same objective with another penalty."""
        return replace(self, penalty=penalty)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values and arrays, for tasks; `read_objective` reads them."""
        return {"name": self.name, "penalty": self.penalty, **self.networks.to_dict()}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave."""
        return cls(value["name"], networks_of(value), value["penalty"])


def networks_of(value: Mapping[str, Any]) -> ProxyNetworks:
    """Return the networks in the plain values of an objective."""
    return ProxyNetworks(NetworkLayout(**value["layout"]), value["num_classes"])


def objective_class(name: str) -> type[Objective]:
    """Return the objective of that name; raises `ParameterError` naming the known ones."""
    return OBJECTIVES.get(name)


def read_objective(value: Mapping[str, Any]) -> Objective:
    """Read what `Objective.to_dict` gave."""
    return objective_class(value["name"]).from_dict(value)
