"""What comes of the trainings of stage `coco`: their figures and files."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from nasgem_core.detection.costs import detector_costs
from nasgem_core.weights import NETWORK, NETWORK_SCHEMA
from tasks.stages.coco import FOLDER, TrainedDetector
from tasks.stages.imagenet_results import remove_others
from tasks.store.artifacts import METRICS, write_bytes, write_json, write_table, write_weights

METRICS_FILE = METRICS / "coco.json"
HISTORY_FILE = FOLDER / "history.parquet"
CURVES_FILE = FOLDER / "curves.png"


def history_of(detectors: Sequence[TrainedDetector]) -> pd.DataFrame:
    """Return one row per report: losses, learning rate and speed after some steps, the APs after an epoch."""
    rows = [{"detector": each.training.name, **row} for each in detectors for row in each.history]
    columns = list(dict.fromkeys(name for row in rows for name in row)) or ["detector", "epoch", "step"]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype({name: float for name in columns if name != "detector"})


def summary_of(detectors: Sequence[TrainedDetector]) -> dict[str, dict[str, Any]]:
    """Return params, multiply-adds at the detector's image size, and the last APs of each detector."""
    summary = {}
    for each in detectors:
        spec = each.training.spec
        costs = detector_costs(spec.build(), spec.settings.short_side, spec.settings.long_side)
        summary[each.training.name] = {
            "backbone": each.training.classifier,
            "params": costs.params,
            "macs": costs.macs,
            **each.metrics,
        }
    return summary


def write_detectors(
    detectors: Sequence[TrainedDetector],
    summary: Mapping[str, Any],
    skipped: Mapping[str, int],
    history: pd.DataFrame,
    pictures: Mapping[str, bytes],
) -> list[str]:
    """Write the stage's files, and remove those of trainings that are no longer asked for; returns their names.

    Args:
        detectors: the trainings.
        summary: figures of each, for the metrics.
        skipped: what was left out of training, and how often.
        history: their reports.
        pictures: curves and sample detections by file name.
    """
    kept = {HISTORY_FILE, *(FOLDER / name for name in pictures)}
    for each in detectors:
        weights, spec = (FOLDER / f"{each.training.name}{end}" for end in (".safetensors", ".json"))
        write_weights(weights, NETWORK_SCHEMA, each.weights, {NETWORK: each.training.spec.to_dict()})
        write_bytes(spec, each.training.spec.to_json().encode())
        kept |= {weights, spec}
    write_table(HISTORY_FILE, "nasgem.history/1", history)
    for name, content in pictures.items():
        write_bytes(FOLDER / name, content)
    write_json(METRICS_FILE, "nasgem.metrics/1", {"detectors": summary, "skipped": skipped})
    return remove_others(FOLDER, kept)
