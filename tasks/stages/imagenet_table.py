"""The figures of stage `imagenet` in words, as the terminal and the report show them."""

from collections.abc import Mapping
from typing import Any

from nasgem_core.figures.page import Table
from tasks.store.artifacts import METRICS, read_json

METRICS_FILE = METRICS / "imagenet.json"


def difference_text(row: Mapping[str, Any]) -> str:
    """Return a difference of accuracies in points with its interval, such as "+1.2 (95 %: +0.3 to +2.1)"."""
    mean = f"{100 * row['mean']:+.1f}"
    return mean if row["low"] is None else f"{mean} (95 %: {100 * row['low']:+.1f} to {100 * row['high']:+.1f})"


def classifier_tables() -> list[Table]:
    """Return the table of the report: each network with its accuracy; none where the stage has trained nothing."""
    document = read_json(METRICS_FILE, "nasgem.metrics/1") if METRICS_FILE.is_file() else {}
    networks, differences = document.get("networks", {}), document.get("differences", {})
    if not networks:
        return []
    first = next(iter(networks))
    rows = []
    for name, row in networks.items():
        spread = "" if row["top1_deviation"] is None else f" +- {100 * row['top1_deviation']:.1f}"
        ahead = difference_text(differences[name]) if name in differences else None
        size = [f"{row['macs'] / 1e6:.2f}", f"{row['params'] / 1e6:.3f}"]
        accuracy = [f"{100 * row['top1_mean']:.1f}{spread}", f"{100 * row['top5_mean']:.1f}"]
        rows.append([name, *size, f"{row['learning_rate']:g}", len(row["top1"]), *accuracy, ahead])
    header = ["network", "MACs (M)", "params (M)", "learning rate", "seeds", "top-1 (%)", "top-5 (%)"]
    note = "Differences are paired by seed: equal images, crops and order; in parentheses Student's 95 % interval."
    return [Table("Networks trained on your images", [*header, f"{first} less it, in points of top-1"], rows, note)]
