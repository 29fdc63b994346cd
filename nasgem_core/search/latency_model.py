"""Latency of a cell's proxy network, predicted from measured ones: a sum of what its parts take.

Each vertex takes a time of its own (starting a kernel) and a time for its multiply-adds, both by its operation; each
concatenation takes a time for the numbers that it copies; the rest of the network takes a constant. The times are
fitted by least squares of the relative error, none below 0, so that a larger network is never predicted to be faster.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nasgem_core.cells.batch import CellBatch
from nasgem_core.cells.codes import FIRST_OPERATION_CODE
from nasgem_core.errors import DataError
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.operations.registry import OPERATIONS
from nasgem_core.search.ranking import rank_correlation

MINIMUM_CELLS = 10
FOLDS = 5
_LIMIT_NS = 2**53
"""Latencies are counted in whole nanoseconds below this."""


@dataclass(frozen=True)
class LatencyError:
    """How well latencies of cells that were left out of the fit are predicted.

    Args:
        relative: median of |predicted - measured| / measured.
        kendall_tau: rank correlation of predicted and measured.
        cells: how many cells were left out in turn.
    """

    relative: float
    kendall_tau: float
    cells: int


@dataclass(frozen=True, eq=False)
class LatencyModel:
    """A fitted model.

    Args:
        operations: names of the operations that were measured.
        layout: how the proxy networks are stacked.
        times: [2 K + 2] nanoseconds: of a vertex of each of K operations, then of a million multiply-adds of each, of a
            million copied numbers, and the constant.
        error: on cells left out.
    """

    operations: tuple[str, ...]
    layout: NetworkLayout
    times: np.ndarray
    error: LatencyError

    def predict(self, cells: CellBatch) -> np.ndarray:
        """Return latencies in nanoseconds, int64 [B]; raises `DataError` for an operation that was not measured."""
        return _whole(_features(cells, self.operations, self.layout) @ self.times)

    def to_dict(self) -> dict[str, Any]:
        """Return the model as plain values, for tasks."""
        return {
            "operations": list(self.operations),
            "layout": asdict(self.layout),
            "times": self.times,
            **asdict(self.error),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "LatencyModel":
        """Read what `to_dict` gave."""
        error = LatencyError(value["relative"], value["kendall_tau"], value["cells"])
        return cls(tuple(value["operations"]), NetworkLayout(**value["layout"]), value["times"], error)


def fit_latency(cells: CellBatch, latency_ms: np.ndarray, layout: NetworkLayout) -> LatencyModel:
    """Fit the model to measured proxy networks, and compute its error on cells left out in turn.

    Args:
        cells: N cells.
        latency_ms: [N] measured latencies.
        layout: how their networks are stacked.

    Raises:
        DataError: fewer than `MINIMUM_CELLS` cells were measured, or a latency is not above 0.
    """
    names = cells.operation_names
    times, error = fit_times(_features(cells, names, layout), latency_ms)
    return LatencyModel(names, layout, times, error)


def fit_times(features: np.ndarray, latency_ms: np.ndarray) -> tuple[np.ndarray, LatencyError]:
    """Return the nanoseconds of each feature, none below 0, and the error on networks left out in turn.

    Args:
        features: [N, F] how much of what takes time each of N networks has.
        latency_ms: [N] their measured latencies.

    Raises:
        DataError: fewer than `MINIMUM_CELLS` networks were measured, or a latency is not above 0.
    """
    measured = np.asarray(latency_ms, dtype=float) * 1e6
    if len(features) < MINIMUM_CELLS:
        raise DataError(
            f"{len(features)} cells were measured: at least {MINIMUM_CELLS} are needed to predict the latency of "
            "others; measure more with `nasgem latency --sampled 40`"
        )
    if not (np.isfinite(measured).all() and (measured > 0).all()):
        raise DataError("a measured latency is not above 0: measure again with `nasgem latency`")
    predicted = np.empty_like(measured)
    # A fixed shuffle, so that neighbours in the table are not left out together.
    order = np.random.default_rng(0).permutation(len(measured))
    for fold in range(FOLDS):
        left_out = order[fold::FOLDS]
        kept = np.setdiff1d(order, left_out)
        predicted[left_out] = features[left_out] @ _times(features[kept], measured[kept])
    relative = float(np.median(np.abs(predicted - measured) / measured))
    error = LatencyError(relative, rank_correlation(predicted, measured)["kendall_tau"], len(measured))
    return _times(features, measured), error


def nanoseconds(latency_ms: np.ndarray) -> np.ndarray:
    """Return latencies as whole nanoseconds: log10 of them in millions is log10 of milliseconds."""
    return _whole(np.asarray(latency_ms, dtype=float) * 1e6)


def _whole(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 1, _LIMIT_NS).astype(np.int64)


def _times(features: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Return the non-negative times with the least squared relative error; columns are scaled for the solver."""
    from scipy.optimize import nnls

    rows = features / measured[:, None]
    scale = np.maximum(np.linalg.norm(rows, axis=0), 1e-300)
    return nnls(rows / scale, np.ones(len(rows)))[0] / scale


def _features(cells: CellBatch, names: Sequence[str], layout: NetworkLayout) -> np.ndarray:
    """Return [B, 2 K + 2]: vertices and multiply-adds by operation, copied numbers, and 1."""
    unknown = set(cells.operation_names) - set(names)
    used = {cells.operation_names[code - FIRST_OPERATION_CODE] for code in np.unique(cells.codes) if code > 1}
    if used & unknown:
        raise DataError(f"operation {sorted(used & unknown)[0]!r} was not measured: measure cells that have it")
    adjacency = cells.adjacency
    degrees = adjacency.sum(axis=1, dtype=np.int64)
    from_input, own = adjacency[:, 0, :].astype(np.int64), cells.codes >= FIRST_OPERATION_CODE
    leaves = (own & ~adjacency.any(axis=2)).sum(axis=1, dtype=np.int64)
    chosen = [own & (cells.codes == _code(cells, name)) for name in names]
    vertices = np.stack([mask.sum(axis=1) * len(layout.stages) for mask in chosen], axis=1)
    macs = np.zeros((len(cells), len(names)))
    copied = np.zeros(len(cells))
    channels = np.full(len(cells), layout.width, dtype=np.int64)
    for width, resolution in zip(layout.widths, layout.resolutions, strict=True):
        c_in = channels[:, None] * from_input + width * (degrees - from_input)
        for k, (name, mask) in enumerate(zip(names, chosen, strict=True)):
            cost = OPERATIONS.get(name).macs_per_pixel(c_in, np.full_like(c_in, width))
            macs[:, k] += np.where(mask, cost, 0).sum(axis=1) * resolution**2
        channels = width * leaves
        joined = np.where(degrees > 1, c_in, 0).sum(axis=1) + np.where(leaves > 1, channels, 0)
        copied += joined * resolution**2
    return np.column_stack([vertices, macs / 1e6, copied / 1e6, np.ones(len(cells))])


def _code(cells: CellBatch, name: str) -> int:
    """Return the code of an operation in a batch, or one that no vertex has."""
    names = cells.operation_names
    return names.index(name) + FIRST_OPERATION_CODE if name in names else 255
