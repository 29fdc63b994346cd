"""Results of stage `imagenet`: the table of all reports, the figures of each network, and the files."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from nasgem_core.training.guessing import Guessing
from nasgem_core.training.paired import paired_difference
from nasgem_core.training.task import BROKEN, broken_images
from nasgem_core.weights import NETWORK, NETWORK_SCHEMA
from tasks.stages.imagenet import FOLDER, TrainedClassifier
from tasks.stages.imagenet_table import BUDGET, METRICS_FILE, first_networks
from tasks.stages.imagenet_tuning import Grid
from tasks.store.artifacts import write_bytes, write_json, write_table, write_weights

HISTORY_FILE = FOLDER / "history.parquet"
CURVES_FILE = FOLDER / "curves.png"
BETTER = "better_than_guessing"
"""Whether a network is, in its figures."""
_COLUMNS = ("epoch", "step", "loss", "learning_rate", "images_per_second", "top1", "top5", "validation_loss")


def history_of(classifiers: Sequence[TrainedClassifier]) -> pd.DataFrame:
    """Return one row per report: loss, learning rate and speed after some steps, the evaluation after an epoch."""
    rows: list[dict[str, Any]] = [
        {"network": each.training.network, "seed": each.training.number, **{k: row.get(k) for k in _COLUMNS}}
        for each in classifiers
        for row in each.history
    ]
    table = pd.DataFrame(rows, columns=["network", "seed", *_COLUMNS])
    return table.astype(dict.fromkeys(_COLUMNS[2:], float))


def summary_of(
    classifiers: Sequence[TrainedClassifier],
    costs: Mapping[str, tuple[int, int]],
    grids: Mapping[str, Grid] | None = None,
    guessing: Guessing | None = None,
) -> dict[str, dict[str, Any]]:
    """Return, for each network, MACs, params, bytes, the accuracies of its trainings, their mean and deviation.

    Args:
        classifiers: the trainings.
        costs: MACs and params by the name of the network.
        grids: what each learning rate gave, by the name of the network, where several were tried.
        guessing: what guessing achieves on the same images; given, it is compared with.
    """
    networks: dict[str, dict[str, Any]] = {}
    for each in classifiers:
        name = each.training.network
        size = {"macs": costs[name][0], "params": costs[name][1], "bytes": _bytes(each.weights)}
        rates = {"learning_rate": each.training.learning_rate, "tried": list((grids or {}).get(name, ()))}
        budget = {BUDGET: each.training.budget} if each.training.budget else {}
        entry = networks.setdefault(name, {**budget, **size, **rates, "top1": [], "top5": []})
        for figure in ("top1", "top5"):
            entry[figure].append(each.card.metrics[figure])
    for name, entry in networks.items():
        if guessing is not None:
            losses = [each.card.metrics["validation_loss"] for each in classifiers if each.training.network == name]
            entry["validation_loss_mean"] = float(np.mean(losses))
            means = {"top1": float(np.mean(entry["top1"])), "validation_loss": entry["validation_loss_mean"]}
            entry |= {"guessing_top1": guessing.top1, "guessing_loss": guessing.loss, BETTER: guessing.beaten_by(means)}
        for figure in ("top1", "top5"):
            values = entry[figure]
            entry[f"{figure}_mean"] = float(np.mean(values))
            entry[f"{figure}_deviation"] = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return networks


def _bytes(weights: Mapping[str, torch.Tensor]) -> int:
    return sum(tensor.nbytes for tensor in weights.values())


def differences_of(summary: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the top-1 of the first network less that of each other one, by name: of each pair, and mean and interval.

    Pair k is of the trainings with number k, which have equal images, crops and order. With several budgets each
    network is compared with the first one of its own budget.
    """
    first = first_networks(summary)
    return {
        name: asdict(paired_difference(summary[first[name]]["top1"], row["top1"]))
        for name, row in summary.items()
        if first[name] != name
    }


def write_classifiers(
    classifiers: Sequence[TrainedClassifier], summary: Mapping[str, Any], history: pd.DataFrame, curves: bytes
) -> list[str]:
    """Write the stage's files, and remove those of trainings that are no longer asked for; returns their names."""
    kept = {HISTORY_FILE, CURVES_FILE}
    for each in classifiers:
        kept |= write_network(FOLDER, each)
    write_table(HISTORY_FILE, "nasgem.history/1", history)
    write_bytes(CURVES_FILE, curves)
    broken = max((broken_images(each.history) for each in classifiers), default=0)
    write_json(
        METRICS_FILE, "nasgem.metrics/1", {"networks": summary, "differences": differences_of(summary), BROKEN: broken}
    )
    return remove_others(FOLDER, kept)


def write_network(folder: Path, classifier: TrainedClassifier) -> set[Path]:
    """Write a trained network into a folder; returns its two files."""
    weights, card = (folder / f"{classifier.training.name}{end}" for end in (".safetensors", ".json"))
    arrays = {name: value.numpy() for name, value in classifier.weights.items()}
    write_weights(weights, NETWORK_SCHEMA, arrays, {NETWORK: classifier.card.to_dict()})
    write_bytes(card, (classifier.card.to_json() + "\n").encode())
    return {weights, card}


def remove_others(folder: Path, kept: Collection[Path]) -> list[str]:
    """Remove weights, descriptions and pictures that are not kept; returns the names of their networks."""
    gone = [path for path in folder.iterdir() if path not in kept and path.suffix in (".safetensors", ".json", ".png")]
    for path in gone:
        path.unlink()
    return sorted(path.stem for path in gone if path.suffix == ".safetensors")
