"""What the stages with long trainings share: showing and logging a training while it runs, and drawing its curves."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pandas as pd

from flows.runtime.session import status_of
from nasgem_core.errors import NasgemError
from nasgem_core.figures.image import figure_png
from nasgem_core.figures.training import draw_training
from nasgem_core.training.task import Progress
from tasks.mlflow_runs.records import SearchRecords, TrainingRun, curve_points
from tasks.run.progress import say

LIVE_SECONDS = 20.0
"""Seconds between two deliveries of the curves of a running training."""


@dataclass(kw_only=True)
class LiveTraining:
    """Shows and logs one training; as a context it also logs that the training was stopped.

    Args:
        records: where it is logged.
        run: which one it is.
        shown: metrics to show with the progress.
        on_step: called with the steps done and the latest values of these metrics.
        clock: seconds that only ever grow.
    """

    records: SearchRecords
    run: TrainingRun
    shown: Sequence[str]
    on_step: Callable[[int, dict[str, float]], None]
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._figures: dict[str, float] = {}
        self._rows: list[Mapping[str, float]] = []
        self._sent = self.clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.records.training_stopped(self.run, status_of(kind))

    def report(self, progress: Progress, pictures: Sequence[Path] = ()) -> None:
        """Take one report of the training loop; pictures are sent at once, curves every `LIVE_SECONDS`."""
        self._figures |= {name: progress.metrics[name] for name in self.shown if name in progress.metrics}
        self.on_step(progress.step, self._figures)
        if progress.recorded:
            self._rows.append({"epoch": progress.epoch, "step": progress.step, **progress.metrics})
        if pictures or self.clock() - self._sent >= LIVE_SECONDS:
            self._log(self._rows, pictures, finished=False)
            self._rows, self._sent = [], self.clock()

    def finish(self, history: Sequence[Mapping[str, float]]) -> None:
        """Log the whole training as finished."""
        self._log(history, (), finished=True)

    def _log(self, rows: Sequence[Mapping[str, float]], pictures: Sequence[Path], *, finished: bool) -> None:
        self.records.training(self.run, curve_points(rows), artifacts=pictures, finished=finished)


@contextmanager
def logging_rows(
    records: SearchRecords, runs: Mapping[str, TrainingRun]
) -> Iterator[Callable[[str, Sequence[Mapping[str, float]]], None]]:
    """Provide what logs new reports of trainings that run somewhere else; an error logs that they were stopped.

    Args:
        records: where they are logged.
        runs: which they are, by name.
    """
    begun = set[str]()

    def log(name: str, rows: Sequence[Mapping[str, float]]) -> None:
        begun.add(name)
        records.training(runs[name], curve_points(rows), finished=False)

    try:
        yield log
    except BaseException as error:
        for name in sorted(begun):
            records.training_stopped(runs[name], status_of(type(error)))
        raise


def register(name: str, action: Callable[[], object]) -> None:
    """Make a trained network a version of a registered model; where that fails, say so and go on."""
    try:
        action()
    except NasgemError as error:
        say(f"  {name} is not registered: {error}; run the stage again to register it")


def say_removed(folder: Path, names: Sequence[str]) -> None:
    """Say which networks were removed from the folder of a stage, and what remains of them."""
    if names:
        kept = "their registered versions and checkpoints stay"
        say(f"  removed from {folder}, because params.yaml no longer asks for them: {', '.join(names)}; {kept}")


def draw_curves(
    history: pd.DataFrame, keys: Sequence[str], panels: Mapping[str, str], *, epochs: int, title: str
) -> bytes:
    """Return a picture of the reports of several trainings.

    Args:
        history: one row per report, with its `step`.
        keys: columns that tell trainings apart; those with equal values in the first one have the same colour.
        panels: column that each panel draws, by the panel's title.
        epochs: length of every training.
        title: headline.
    """
    curves: dict[str, dict[str, list[list[tuple[float, float]]]]] = {}
    for (name, *_), training in history.groupby(list(keys), sort=False):
        for words, column in panels.items():
            rows = training[training[column].notna()] if column in training else training[:0]
            points = list(zip(rows["step"] / training["step"].max() * epochs, rows.get(column, ()), strict=True))
            curves.setdefault(words, {}).setdefault(str(name), []).append(points)
    return figure_png(draw_training(curves, title))
