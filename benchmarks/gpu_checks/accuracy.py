"""Accuracies of the paper profile's trainings: by graphs in bfloat16 and eager in float32, of equal cells and seeds.

For the size of the noise there are trainings by graphs of other seeds as well.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.gpu_checks.setting import Clock, Figures, OutOfTimeError, Setting
from nasgem_core.training.paired import paired_difference
from nasgem_core.training.proxy import Mode
from nasgem_core.training.together import Job, train_together

MODES = {
    "graph, bfloat16": (0, Mode(curve=False)),
    "graph, bfloat16, another seed": (1, Mode(curve=False)),
    "eager, float32": (0, Mode(graphs=False, reduced=False, curve=False)),
}
WORKERS = 8


def accuracy(setting: Setting, known: Figures, clock: Clock) -> Iterator[tuple[str, Any]]:
    """Train."""
    cells = setting.cells(setting.size(30, 2))
    values: dict[str, list[float]] = {}
    for name, (seed, mode) in MODES.items():
        if name in known:
            values[name] = known[name]
            continue
        if clock.left < setting.size(30, 1):
            raise OutOfTimeError(f"{name} was not trained")
        jobs = [Job(cell, seed, mode) for cell in cells]
        workers = setting.size(WORKERS, 1)
        found = train_together(jobs, setting.images, setting.config, device=setting.device, workers=workers)
        notes = {result.note for result in found.results if result.note}
        if notes:
            raise RuntimeError("; ".join(sorted(notes)))
        values[name] = [result.accuracy for result in found.results]
        yield name, values[name]
    graph, other, eager = values.values()
    difference = paired_difference(graph, eager)
    yield "difference", {"mean": difference.mean, "low": difference.low, "high": difference.high}
    seeds = np.subtract(graph, other)
    yield "deviation between two seeds", float(np.sqrt(np.mean(seeds**2) / 2))
    yield "mean accuracy", {name: float(np.mean(row)) for name, row in values.items()}
