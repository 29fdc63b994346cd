"""Files of a comparison: its figures as JSON and CSV, its plot, the trained networks, and the sizes that were found."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nasgem_core.errors import DataError
from nasgem_core.figures.comparison import draw_comparison
from nasgem_core.figures.image import figure_png
from tasks.stages.imagenet import TrainedClassifier
from tasks.stages.imagenet_results import write_network
from tasks.stages.imagenet_table import compared_networks
from tasks.store.artifacts import read_json, write_bytes, write_json

SCHEMA, SIZES_SCHEMA = "nasgem.comparison/1", "nasgem.sizes/1"
_SIZES = "sizes.json"


def read_sizes(folder: Path) -> dict[str, int]:
    """Return the multiply-adds at which networks met their latency, by what was asked for; none without a file."""
    try:
        return dict(read_json(folder / _SIZES, SIZES_SCHEMA)["sizes"])
    except (DataError, FileNotFoundError, KeyError):
        return {}


def write_sizes(folder: Path, sizes: Mapping[str, int]) -> None:
    """Keep these sizes: a second measurement would give other ones, and so other trainings."""
    write_json(folder / _SIZES, SIZES_SCHEMA, {"sizes": dict(sizes)})


def write_comparison(
    folder: Path,
    classifiers: Sequence[TrainedClassifier],
    summary: Mapping[str, Mapping[str, Any]],
    differences: Mapping[str, Mapping[str, Any]],
) -> list[Path]:
    """Write all files; returns those for people: JSON, CSV and the plot."""
    for each in classifiers:
        write_network(folder, each)
    rows = {
        name: {**row, **{f"first_less_it_{key}": value for key, value in differences.get(name, {}).items()}}
        for name, row in summary.items()
    }
    table = pd.DataFrame([{"network": name, **_plain(row)} for name, row in rows.items()])
    files = [folder / f"comparison.{suffix}" for suffix in ("json", "csv", "png")]
    write_json(files[0], SCHEMA, {"networks": dict(summary), "differences": dict(differences)})
    write_bytes(files[1], table.to_csv(index=False).encode())
    write_bytes(files[2], figure_png(draw_comparison(compared_networks(summary))))
    return files


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of a network for one line of a table, where lists are separated by blanks."""
    return {
        name: " ".join(f"{item:.6g}" for item in value) if isinstance(value, list | tuple) else value
        for name, value in row.items()
        if name != "tried"
    }
