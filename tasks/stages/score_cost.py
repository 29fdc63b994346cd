"""What the efficiency score charges a cell for (Eq. 5): multiply-adds, or latency on the user's own device.

Latency is counted in nanoseconds, so that log10 of it in millions is log10 of milliseconds, and all that is said of
multiply-adds in scores holds for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.networks.complexity import cell_costs
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.search.latency_model import LatencyError, LatencyModel, fit_latency, nanoseconds
from tasks.stages.latency_table import read_latency

LATENCY = "latency"
MEASUREMENT, MODEL = "measurement", "model"
"""What tells the latency of a cell."""
_MUCH = 0.2
"""A median relative error of the model above this is said to be much."""


@dataclass(frozen=True, eq=False)
class ScoreCost:
    """Costs of cells for the score.

    Args:
        layout: how the proxy networks are stacked.
        num_classes: length of their logits.
        model: tells latencies; None where the score charges multiply-adds.
        measured: nanoseconds of the cells that were measured, by canonical key.
    """

    layout: NetworkLayout
    num_classes: int
    model: LatencyModel | None = None
    measured: Mapping[str, int] = field(default_factory=dict)

    def of(self, cells: CellBatch) -> np.ndarray:
        """Return the costs of cells, int64 [B]: as measured where they were, as told by the model otherwise."""
        told = self.told(cells)
        if self.model is None:
            return told
        keys = [cell.canonical_key for cell in cells]
        return np.array([self.measured.get(key, cost) for key, cost in zip(keys, told, strict=True)], dtype=np.int64)

    def sources(self, cells: CellBatch) -> list[str]:
        """Return what tells the latency of each of B cells; empty texts where multiply-adds are charged."""
        if self.model is None:
            return [""] * len(cells)
        return [MEASUREMENT if cell.canonical_key in self.measured else MODEL for cell in cells]

    def told(self, cells: CellBatch) -> np.ndarray:
        """Return costs without looking for measured ones, int64 [B]: for very many cells."""
        if self.model is None:
            return cell_costs(cells, self.layout, self.num_classes).macs
        return self.model.predict(cells)

    @property
    def value(self) -> dict[str, Any] | None:
        """The model in the form that tasks take."""
        return None if self.model is None else self.model.to_dict()


def error_words(error: LatencyError) -> str:
    """Return in one line how well the model tells latencies, and what to do where it does not."""
    line = (
        f"latency of unmeasured cells: median error {100 * error.relative:.0f} %, Kendall's tau "
        f"{error.kendall_tau:.2f}, on {error.cells} measured cells left out of the fit in turn"
    )
    if error.relative <= _MUCH:
        return line
    return f"{line}; that is much: measure more cells (--sampled), with more --repeats, on an idle machine"


def open_cost(config: SearchConfig, layout: NetworkLayout, num_classes: int) -> ScoreCost:
    """Return what the parameters let the score charge.

    Raises:
        ParameterError: latency is to be charged, and no table is named or there.
        DataError: the table is damaged, of other proxy networks, or has too few cells.
    """
    if config.score.objective != LATENCY:
        return ScoreCost(layout, num_classes)
    path = Path(config.score.latency_table)
    if not path.is_file():
        raise ParameterError(
            f"score.latency_table = {config.score.latency_table!r} is no file: measure cells of this search space with "
            f"`nasgem latency --sampled 40 --output {path.parent}`"
        )
    table = read_latency(path)
    table = table[table["cell"] != ""]
    mixed = [name for name in ("device", "threads", "batch") if table[name].nunique() > 1]
    if mixed:
        raise DataError(
            f"{path} holds rows of {table[mixed[0]].nunique()} different values of {mixed[0]}, which cannot be "
            f"compared: measure again with `nasgem latency --sampled 40 --output {path.parent}`"
        )
    cells = CellBatch.from_cells([Cell.from_json(text) for text in table["cell"]], config.cells.operations)
    if not np.array_equal(cell_costs(cells, layout, num_classes).macs, table["macs"].to_numpy()):
        raise DataError(
            f"{path} was measured with other proxy networks than params.yaml has now: measure again with "
            f"`nasgem latency --sampled 40 --output {path.parent}`"
        )
    latency = table["median_ms"].to_numpy(dtype=float)
    model = fit_latency(cells, latency, layout)
    measured = dict(zip(table["key"], nanoseconds(latency).tolist(), strict=True))
    return ScoreCost(layout, num_classes, model, measured)
