"""What the stages of long trainings share: showing and logging them while they run, and drawing their curves."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pandas as pd

from flows.runtime.session import Session, status_of
from nasgem_core.errors import NasgemError
from nasgem_core.figures.image import figure_png
from nasgem_core.figures.training import draw_training
from nasgem_core.training.task import Progress
from tasks.mlflow_runs.records import TrainingRun, curve_points
from tasks.run.progress import say

LIVE_SECONDS = 20.0
"""Between two deliveries of a running training's curves."""


class LiveTraining:
    """Shows and logs one training; as a context it also logs that the training was stopped.

    Args:
        session: where it is logged.
        stage: whose training it is.
        name: of the training.
        params: logged with it.
        show: moves the progress bar.
        shown: figures beside the bar.
    """

    def __init__(
        self,
        session: Session,
        stage: str,
        name: str,
        params: dict[str, Any],
        show: Callable[[int, dict[str, float]], None],
        shown: Sequence[str],
    ) -> None:
        self._records, self._run = session.records, TrainingRun(stage, name, params)
        self._show, self._shown = show, shown
        self._figures: dict[str, float] = {}
        self._rows: list[Mapping[str, float]] = []
        self._sent = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._records.training_stopped(self._run, status_of(kind))

    def report(self, progress: Progress, pictures: Sequence[Path] = ()) -> None:
        """Take one report of the loop; pictures are sent at once, curves every now and then."""
        self._figures |= {name: progress.metrics[name] for name in self._shown if name in progress.metrics}
        self._show(progress.step, self._figures)
        if progress.recorded:
            self._rows.append({"epoch": progress.epoch, "step": progress.step, **progress.metrics})
        if pictures or time.monotonic() - self._sent >= LIVE_SECONDS:
            self._log(self._rows, pictures, finished=False)
            self._rows, self._sent = [], time.monotonic()

    def finish(self, history: Sequence[Mapping[str, float]]) -> None:
        """Log the whole training as finished."""
        self._log(history, (), finished=True)

    def _log(self, rows: Sequence[Mapping[str, float]], pictures: Sequence[Path], *, finished: bool) -> None:
        self._records.training(self._run, curve_points(rows), artifacts=pictures, finished=finished)


def register(name: str, action: Callable[[], object]) -> None:
    """Make a trained network a version of a registered model; where that cannot be, say so and go on."""
    try:
        action()
    except NasgemError as error:
        say(f"  {name} is not registered: {error}; run the stage again to register it")


def say_removed(folder: Path, names: Sequence[str]) -> None:
    """Say which networks have left the folder of a stage, and where they still are."""
    if names:
        kept = "their registered versions and checkpoints stay"
        say(f"  removed from {folder}, as params.yaml no longer asks for them: {', '.join(names)}; {kept}")


def draw_curves(
    history: pd.DataFrame, network: str, run: str | None, panels: Mapping[str, str], epochs: int, title: str
) -> bytes:
    """Return a picture of the reports of several trainings.

    Args:
        history: one report a row, with its `step`.
        network: column that says what was trained; each has a colour.
        run: column that tells the trainings of one network apart, if there are several.
        panels: what is drawn, in words, to its column.
        epochs: of every training.
        title: headline.
    """
    keys = [network] if run is None else [network, run]
    curves: dict[str, dict[str, list[list[tuple[float, float]]]]] = {}
    for (name, *_), training in history.groupby(keys, sort=False):
        for words, column in panels.items():
            rows = training[training[column].notna()] if column in training else training[:0]
            points = list(zip(rows["step"] / training["step"].max() * epochs, rows.get(column, ()), strict=True))
            curves.setdefault(words, {}).setdefault(str(name), []).append(points)
    return figure_png(draw_training(curves, title))
