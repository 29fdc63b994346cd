"""The latency of a search's GEMNets on the user's device, predicted from the table of `nasgem latency --macs`."""

from pathlib import Path

import numpy as np
import pandas as pd

from nasgem_core.backbones.frame import Frame
from nasgem_core.backbones.latency import GemnetLatency
from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.search.latency_model import LatencyError
from tasks.stages.latency_table import read_latency, require_one_setting

GEMNET = "gemnet"
"""Column of the document of a GEMNet, empty for other networks."""


def fit_target_latency(config: SearchConfig, frame: Frame) -> tuple[GemnetLatency, LatencyError]:
    """Return the model of the latency of all GEMNets of a frame, and its error on networks left out of the fit.

    Raises:
        ParameterError: there is no table at the path that the parameters name.
        DataError: the table is damaged, of other networks, lacks an operation, or has too few networks.
    """
    from nasgem_core.backbones.spec import GEMNetSpec, NetworkSpec  # with Torch, which few objectives need
    from nasgem_core.search.gemnet_latency import fit_gemnet_latency

    path = Path(config.score.latency_table)
    command = f"nasgem latency --sampled 40 --macs 19M --engine onnxruntime --output {path.parent}"
    if not path.is_file():
        raise ParameterError(
            f"score.latency_table = {config.score.latency_table!r} is missing: measure networks of about the size that "
            f"you want with `{command}`"
        )
    table = read_latency(path)
    rows = table[table[GEMNET] != ""] if GEMNET in table else table[:0]
    require_one_setting(path, rows, command)
    specs = (
        [spec for text in rows[GEMNET] if isinstance(spec := NetworkSpec.from_json(text), GEMNetSpec)]
        if len(rows)
        else []
    )
    if not specs or any(Frame(spec.layout, spec.num_classes, spec.image_size) != frame for spec in specs):
        raise DataError(
            f"{path} was measured with other networks than sections gemnet and proxy of params.yaml describe now: "
            f"measure again with `{command}`"
        )
    names = config.cells.operations
    missing = sorted(set(names) - {name for spec in specs for name in spec.cell.operations})
    if missing:
        raise DataError(f"{path} has no cell with operation {missing[0]!r}: measure again with `{command}`")
    return fit_gemnet_latency(specs, _milliseconds(rows), names)


def _milliseconds(rows: pd.DataFrame) -> np.ndarray:
    return rows["median_ms"].to_numpy(dtype=float)
