"""Latency of the proxy network on the user's own device: as measured where it was, predicted otherwise.

It is counted in nanoseconds, so that a million of them is a millisecond.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.search.latency_model import LatencyError, LatencyModel, fit_latency, nanoseconds
from nasgem_core.search.objective import MeasuredLatency, Objective, ProxyNetworks, networks_of

MEASUREMENT, MODEL = "measurement", "model"
"""Where the latency of a cell comes from."""
_LARGE = 0.2
"""A median relative error of the model above this is reported as large."""


@dataclass(frozen=True, eq=False)
class Latency(Objective):
    """Charges latency, in milliseconds.

    Args:
        model: predicts the latencies of cells that were not measured.
        known: nanoseconds of the cells that were, by canonical key.
    """

    model: LatencyModel
    known: Mapping[str, int] = field(default_factory=dict)

    label, unit = "latency", "ms"
    needs_latency = True

    @classmethod
    def open(cls, name: str, networks: ProxyNetworks, penalty: float, measured: MeasuredLatency | None = None) -> Self:
        """Fit the model to measured cells; raises `DataError` where they are too few or not above 0."""
        if measured is None:
            raise ValueError("the objective latency is opened without measured latencies")
        model = fit_latency(measured.cells, measured.latency_ms, networks.layout)
        known = dict(zip(measured.cells.keys, nanoseconds(measured.latency_ms).tolist(), strict=True))
        return cls(name, networks, penalty, model, known)

    def costs(self, cells: CellBatch) -> np.ndarray:
        """Return nanoseconds, int64 [B]; raises `DataError` for an operation that was not measured."""
        predicted = self.predicted_costs(cells)
        return np.array(
            [self.known.get(key, cost) for key, cost in zip(cells.keys, predicted, strict=True)], dtype=np.int64
        )

    def predicted_costs(self, cells: CellBatch) -> np.ndarray:
        """Return nanoseconds as the model predicts them, int64 [B]."""
        return self.model.predict(cells)

    def sources(self, cells: CellBatch) -> list[str]:
        """Return "measurement" or "model" for each of B cells."""
        return [MEASUREMENT if key in self.known else MODEL for key in cells.keys]

    def remark(self) -> str:
        """Return how far the model is off, and what to do where that is far."""
        return error_words(self.model.error)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values and arrays."""
        return {**super().to_dict(), "model": self.model.to_dict(), "known": dict(self.known)}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave."""
        model = LatencyModel.from_dict(value["model"])
        return cls(value["name"], networks_of(value), value["penalty"], model, value["known"])


def error_words(error: LatencyError) -> str:
    """Return in one line how well the model predicts latencies, and what to do where it does not."""
    line = (
        f"latency of unmeasured cells: median error {100 * error.relative:.0f} %, Kendall's tau "
        f"{error.kendall_tau:.2f}, on {error.cells} measured cells left out of the fit in turn"
    )
    if error.relative <= _LARGE:
        return line
    return f"{line}; that is much: measure more cells (--sampled), with more --repeats, on an idle machine"


OBJECTIVE = Latency
