"""Tables of made-up latencies of GEMNets, as `nasgem latency --macs` writes them of measured ones."""

import pandas as pd

from nasgem_core.backbones.latency import GemnetLatency
from nasgem_core.config.search import SearchConfig
from tasks.deployment.sized import listed_gemnet_samples
from tasks.stages.latency_table import write_latency
from tasks.stages.target_latency import GEMNET

TRUE = GemnetLatency(("conv1x1", "dwconv3x3"), (5e3, 2e3, 1e2, 8e3, 3e3, 9e3, 5e3, 1e3, 1e5))


def write_table_of(frame, folder, **columns):
    """Write a table of 12 random cells and the known blocks, at about 20 M multiply-adds, into a folder."""
    listed = listed_gemnet_samples(12, 20_000_000, frame, SearchConfig())
    milliseconds = [float(TRUE.predict(item.spec.cell, frame, item.spec.channels)) / 1e6 for item in listed]
    rows = [
        {"cell": "", GEMNET: item.spec.to_json(), "median_ms": time}
        for item, time in zip(listed, milliseconds, strict=True)
    ]
    table = pd.DataFrame([*rows, {"cell": "", GEMNET: "", "median_ms": 3.0}])
    setting = {"device": "a processor", "engine": "onnxruntime", "threads": 1, "batch": 1}
    write_latency(folder, table.assign(**{**setting, **columns}))
