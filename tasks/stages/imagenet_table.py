"""The figures of stage `imagenet` in words, as the terminal and the report show them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nasgem_core.figures.comparison import ComparedNetwork, draw_comparison
from nasgem_core.figures.image import figure_png
from nasgem_core.figures.page import Picture, Table
from nasgem_core.intervals import mean_and_interval
from tasks.store.artifacts import METRICS, read_json

METRICS_FILE = METRICS / "imagenet.json"
LATENCY = "latency_ms"
"""Name of a network's latency in the metrics, where it was measured."""
SETTING_WORDS = "one image, ONNX Runtime, one CPU thread"
"""How it is measured."""


def difference_text(row: Mapping[str, Any]) -> str:
    """Return a difference of accuracies in points with its interval, such as "+1.2 (95 %: +0.3 to +2.1)"."""
    mean = f"{100 * row['mean']:+.1f}"
    return mean if row["low"] is None else f"{mean} (95 %: {100 * row['low']:+.1f} to {100 * row['high']:+.1f})"


def comparison() -> list[Table | Picture]:
    """Return a table and a picture of the networks that were trained; nothing where the stage has trained none."""
    document = read_json(METRICS_FILE, "nasgem.metrics/1") if METRICS_FILE.is_file() else {}
    networks, differences = document.get("networks", {}), document.get("differences", {})
    return [_table(networks, differences), _picture(networks)] if networks else []


def _table(networks: Mapping[str, Mapping[str, Any]], differences: Mapping[str, Mapping[str, Any]]) -> Table:
    first = next(iter(networks))
    rows = [
        [
            name,
            _accuracy_text(row["top1"]),
            difference_text(differences[name]) if name in differences else None,
            f"{row['macs'] / 1e6:.2f}",
            f"{row['params'] / 1e6:.3f}",
            _latency_text(row),
            f"{row['bytes'] / 1e6:.2f}",
            f"{100 * row['top5_mean']:.1f}",
            len(row["top1"]),
            f"{row['learning_rate']:g}",
        ]
        for name, row in networks.items()
    ]
    header = ["network", "top-1 (%)", f"{first} less it, in points of top-1", "MACs (M)", "params (M)", "latency (ms)"]
    header += ["size (MB)", "top-5 (%)", "seeds", "learning rate"]
    note = (
        "Intervals are Student's, 95 %. Differences are paired by seed: equal images, crops and order. "
        f"Latency: {SETTING_WORDS}. Size: the weights as 32-bit numbers."
    )
    return Table("Networks trained on your images", header, rows, note)


def _accuracy_text(accuracies: Sequence[float]) -> str:
    mean, half = (100 * value for value in mean_and_interval(np.array(accuracies)))
    return f"{mean:.1f}" if np.isnan(half) else f"{mean:.1f} +- {half:.1f}"


def _latency_text(row: Mapping[str, Any]) -> str | None:
    return f"{row[LATENCY]:.3g}" if LATENCY in row else None


def _picture(networks: Mapping[str, Mapping[str, Any]]) -> Picture:
    timed = all(LATENCY in row for row in networks.values())
    compared = [
        ComparedNetwork(name, row["top1"], row[LATENCY] if timed else row["macs"] / 1e6)
        for name, row in networks.items()
    ]
    cost = f"latency (ms): {SETTING_WORDS}" if timed else "multiply-adds (millions)"
    picture = figure_png(draw_comparison(compared, cost))
    return Picture(
        "Accuracy and cost of these networks", picture, f"accuracy of each network with interval, and {cost}"
    )
