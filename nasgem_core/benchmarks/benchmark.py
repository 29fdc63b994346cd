"""What is known of a published table of measured cells, so that nothing else has to ask for its name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from nasgem_core.benchmarks.table import TabularSpace
from nasgem_core.predictors.notation import Notation
from nasgem_core.predictors.relevances import Relevances


class Edited(Protocol):
    """A cell of a table in the form in which it is edited."""

    @property
    def row(self) -> int:
        """Return its row in the table."""


class Edits(Protocol):
    """Edits cells of one table into other cells of it."""

    def graph_of(self, row: int, rng: np.random.Generator) -> Any:
        """Return the cell of a row as an `Edited`."""

    def mutate(self, graph: Any, rng: np.random.Generator) -> Any:
        """Return another cell of the table, an `Edited` like `graph`."""


@dataclass(frozen=True)
class Benchmark:
    """How a table is imported, predicted and searched; the defaults are those of a table of the user's own.

    It ends the module of its table, and `nasgem_core.benchmarks.catalogue` names it.

    Args:
        readers: by the end of a file's name, such as ".npz", what reads the table from that file.
        notation: how predictors read its operations; None for cells whose output is the concatenation of the leaves.
        read_instead: the table that predictors read in place of this one, "" where they read this one.
        prior: what processes expect of its features.
        sizes: numbers of training cells that publications report; without any, the paper's proportions.
        bias_sizes: numbers of training cells at which the prediction bias is reported (Figure 5).
        runs: trainings of a cell behind the truth, of which the label is the first.
        edits: what edits its cells, as evolution needs; without it the table is not searched.
    """

    readers: Mapping[str, Callable[[Path], TabularSpace]] = field(default_factory=dict)
    notation: Notation | None = None
    read_instead: str = ""
    prior: Relevances = field(default_factory=Relevances)
    sizes: tuple[int, ...] = ()
    bias_sizes: tuple[int, ...] = ()
    runs: int = 1
    edits: Callable[[TabularSpace], Edits] | None = None
