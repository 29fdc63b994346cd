"""GEMNets of a cell: sized to their budgets, and the files of stage `gemnet`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import pandas as pd

from nasgem_core.backbones.costs import gemnet_part_costs
from nasgem_core.backbones.shapes import shapes_only
from nasgem_core.backbones.spec import GEMNetSpec
from nasgem_core.backbones.width import fit_to_budget, fitted_network
from nasgem_core.cells.cell import Cell
from nasgem_core.checksums import json_with_checksum
from nasgem_core.config.transfer import GemnetConfig
from nasgem_core.errors import DataError, ParameterError
from nasgem_core.search.target_networks import TargetNetworks
from tasks.run.progress import say
from tasks.stages.networks import gemnet_layout
from tasks.store.artifacts import DATA, METRICS, read_table, write_bytes, write_json, write_table

FOLDER = DATA / "gemnet"
COSTS_FILE = FOLDER / "costs.parquet"
PICTURE_FILE = FOLDER / "cell.png"
METRICS_FILE = METRICS / "gemnet.json"
COSTS_SCHEMA = "nasgem.network_costs/1"


def build_gemnets(cell: Cell, config: GemnetConfig) -> list[GEMNetSpec]:
    """Return one network for each budget, called gemnet_a, gemnet_b and so on.

    Raises:
        ParameterError: a budget cannot be met, or the images are too small for the layout.
    """
    size = (config.image_size, config.image_size)
    try:
        layout = gemnet_layout(config)
        return [
            fit_to_budget(f"gemnet_{letter}", cell, layout, num_classes=config.classes, image_size=size, macs=macs)
            for letter, macs in zip(ascii_lowercase, config.macs, strict=False)
        ]
    except ParameterError as error:
        raise ParameterError(f"section gemnet of params.yaml: {error}") from None


def build_target(cell: Cell, config: GemnetConfig, networks: TargetNetworks) -> GEMNetSpec:
    """Return the network that a search at a budget has looked for, gemnet_a.

    Raises:
        ParameterError: the cell cannot meet the budget.
    """
    frame = replace(networks.target, layout=gemnet_layout(config))
    return fitted_network("gemnet_a", cell, frame, networks.budget)


def costs_of_parts(spec: GEMNetSpec) -> pd.DataFrame:
    """Return one row for each part of the network: channels, height and width of its output, MACs and parameters."""
    costs = gemnet_part_costs(spec.cell, spec.layout, spec.channels, spec.num_classes, spec.image_size)
    stem, *widths = spec.channels
    head = spec.layout.skeleton.head_channels
    channels = [stem, *(width * len(spec.cell.leaves) for width in widths), head, spec.num_classes]
    sides = [*spec.layout.resolutions(spec.image_size)]
    sides += [sides[-1], (1, 1)]
    return pd.DataFrame(
        {
            "network": spec.name,
            "part": [part.part for part in costs],
            "vertex_channels": [0, *widths, 0, 0],
            "channels": channels,
            "height": [height for height, _ in sides],
            "width": [width for _, width in sides],
            "macs": [int(part.macs) for part in costs],
            "params": [int(part.params) for part in costs],
        }
    )


def feature_list(spec: GEMNetSpec) -> list[tuple[int, int]]:
    """Return channels and stride of each feature map that a detector can use."""
    with shapes_only():
        return [(feature.channels, feature.stride) for feature in spec.build().feature_info]


def _written_before() -> set[Path]:
    """Return the files of networks that the last run of the stage wrote, according to its table of costs."""
    try:
        names = set(read_table(COSTS_FILE, COSTS_SCHEMA)["network"])
    except (DataError, KeyError):
        return set()
    own = {f"gemnet_{letter}" for letter in ascii_lowercase}
    return {FOLDER / f"{name}.json" for name in names & own}


def write_gemnets(specs: Sequence[GEMNetSpec], picture: bytes) -> dict[str, dict[str, Any]]:
    """Write the stage's files and return its metrics; networks of budgets that are no longer asked for are removed.

    A file that the stage did not write stays and is reported, because stage `imagenet` reads it too.
    """
    tables = [costs_of_parts(spec) for spec in specs]
    files = {FOLDER / f"{spec.name}.json": json_with_checksum(spec.to_dict()).encode() for spec in specs}
    earlier = _written_before()
    for path, content in files.items():
        write_bytes(path, content)
    for path in sorted(set(FOLDER.glob("*.json")) - set(files)):
        if path in earlier:
            path.unlink()
        else:
            say(f"  {path} was not written by this stage and stays: move it elsewhere, or stage imagenet trains it too")
    write_table(COSTS_FILE, COSTS_SCHEMA, pd.concat(tables, ignore_index=True))
    write_bytes(PICTURE_FILE, picture)
    metrics: dict[str, dict[str, Any]] = {
        spec.name: {"macs": int(table["macs"].sum()), "params": int(table["params"].sum()), "width": spec.width}
        for spec, table in zip(specs, tables, strict=True)
    }
    write_json(METRICS_FILE, "nasgem.metrics/1", metrics)
    return metrics
