"""The latency of GEMNets in their fast form: the model of `nasgem_core.backbones.latency`, fitted to measured ones."""

from collections.abc import Sequence

import numpy as np

from nasgem_core.backbones.frame import Frame
from nasgem_core.backbones.latency import GemnetLatency, latency_features
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.search.latency_model import LatencyError, fit_times


def fit_gemnet_latency(
    specs: Sequence[GEMNetSpec], latency_ms: np.ndarray, operations: Sequence[str]
) -> tuple[GemnetLatency, LatencyError]:
    """Return the model, and its error on networks left out of the fit in turn.

    Args:
        specs: N networks, of many cells and widths.
        latency_ms: [N] measured latencies.
        operations: names of all operations of their cells.

    Raises:
        DataError: too few networks were measured, or a latency is not above 0.
    """
    frames = [Frame(spec.layout, spec.num_classes, spec.image_size) for spec in specs]
    rows = [
        latency_features(spec.cell, frame, spec.channels, operations) for spec, frame in zip(specs, frames, strict=True)
    ]
    times, error = fit_times(np.array(rows, dtype=float), latency_ms)
    return GemnetLatency(tuple(operations), tuple(float(time) for time in times)), error
