"""The runs of a search in MLflow: one for the search, below it one per stage, below that one per cell or training."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from nasgem_core.config.search import SearchConfig
from tasks.mlflow_runs.models import FullyConnectedModel
from tasks.mlflow_runs.run_record import Dataset, RunRecord, Status, read_files
from tasks.mlflow_runs.tracking import COMMIT_TAG, DIRTY_TAG, Tracking, provenance
from tasks.mlflow_runs.tracking_store import FOLDER
from tasks.run.flat_parameters import flat_params
from tasks.run.history import StageOrigin, machine_words, note_origin, read_origins
from tasks.run.titles import search_title
from tasks.store.artifacts import write_bytes
from tasks.store.fingerprint import fingerprint

_CELL = ("origin", "round", "cell", "key")
"""Columns of the table of trained cells that are parameters of a cell's run."""


@dataclass(frozen=True)
class TrainingRun:
    """A training of hours, which has a run of its own.

    Args:
        stage: to which it belongs.
        name: of the training.
        params: logged with it.
    """

    stage: str
    name: str
    params: Mapping[str, Any]


class SearchRecords:
    """Logs the runs of one search; equal content is logged once, however often a stage is replayed.

    Args:
        tracking: where runs go.
        root: the repository.
        config: parameters of the search.
        images_hash: content hash of the proxy images.
        device: on which the stages run.
    """

    def __init__(
        self, tracking: Tracking, root: Path, config: SearchConfig, images_hash: str, *, device: str = "cpu"
    ) -> None:
        self._tracking = tracking
        self._root = root
        self._config = config
        self._images = Dataset(config.proxy.dataset, images_hash, config.proxy.dataset)
        self.name = fingerprint([asdict(config), images_hash])[:8]
        self._provenance = provenance(root)
        self._device = device
        self.figures: dict[str, Mapping[str, float]] = {}
        """The metrics of each stage that has finished in this process."""
        self._begin_stage()

    def _begin_stage(self) -> None:
        self._stage_started = time.time()
        self._stage_clock = time.monotonic()  # which nobody sets

    def search(self, metrics: dict[str, float] | None = None, artifacts: Sequence[Path] = ()) -> None:
        """Log the search itself: as running, or with its result as finished."""
        if metrics is None:
            if not self._marker("search finished").is_file():
                self._log(self._running())
            return
        result = replace(self._running(), metrics=_points(metrics), files=read_files(artifacts), status="FINISHED")
        self._log(result)
        write_bytes(self._marker("search finished"), b"")

    def stage(
        self,
        stage: str,
        metrics: dict[str, float],
        *,
        curves: Sequence[tuple[str, float, int]] = (),
        artifacts: Sequence[Path | FullyConnectedModel] = (),
        inputs: Sequence[Dataset] = (),
    ) -> None:
        """Log a finished stage with its section of the parameters; artifacts are the files and models it made."""
        self.search()
        self.figures[stage] = metrics
        record = RunRecord(
            key=self._key(stage),
            name=stage,
            kind="stage",
            parent=self._key(),
            params=self._section(stage),
            metrics=[*_points(metrics), *curves],
            files=read_files([each for each in artifacts if isinstance(each, Path)]),
            models=[each for each in artifacts if isinstance(each, FullyConnectedModel)],
            inputs=inputs,
            started=self._stage_started,
        )
        self._note_origin(stage, record.digest())
        self._log(record)
        self._begin_stage()

    def _note_origin(self, stage: str, digest: str = "") -> None:
        seconds, commit = time.monotonic() - self._stage_clock, self._provenance.get(COMMIT_TAG, "")
        changed = self._provenance.get(DIRTY_TAG) == "true"
        origin = StageOrigin(digest, time.time(), seconds, machine_words(self._device), commit, changed)
        note_origin(self._root, self.name, stage, origin)

    def begin(self, stage: str) -> None:
        """Log a stage as running, so that its trainings can be logged below it."""
        self.search()
        self._log(self._running(stage))

    def stopped(self, stage: str, status: Status) -> None:
        """Log that a stage has ended without a result, if it had begun, and the search with it."""
        self._note_origin(stage)
        if self._marker(self._running(stage).digest()).is_file():
            self._log_stop(self._running(stage), status)
        if not self._marker("search finished").is_file():
            self._log_stop(self._running(), status)

    def paused(self, status: Status) -> None:
        """Log that a command has ended before the search was finished: the search runs no longer, and may go on."""
        running = self._running()
        if self._marker(running.digest()).is_file() and not self._marker("search finished").is_file():
            self._log_stop(running, status)

    def training_stopped(self, run: TrainingRun, status: Status) -> None:
        """Log that a training ended early; what it has reported so far stays."""
        self._log_stop(self._training(run), status)

    def _running(self, stage: str = "") -> RunRecord:
        """Return the record of the search, or of a stage, that is running."""
        if not stage:
            params = flat_params(self._config)
            name = f"{search_title(self._config, self._root)} {self.name}"
            return RunRecord(self._key(), name, "search", params=params, inputs=[self._images], status="RUNNING")
        key, started = self._key(stage), self._stage_started
        return RunRecord(key, stage, "stage", self._key(), self._section(stage), status="RUNNING", started=started)

    def _section(self, stage: str) -> dict[str, str]:
        """Return the parameters of a stage, none where it has no section."""
        section = getattr(self._config, stage, None)
        return {} if section is None else flat_params(section, f"{stage}.")

    def _log_stop(self, record: RunRecord, status: Status) -> None:
        """Log a record that was running as stopped, and forget that it ran: it may go on, and stop again."""
        self._marker(record.digest()).unlink(missing_ok=True)
        self._tracking.log(replace(record, status=status, tags={**record.tags, **self._provenance}))

    def training(
        self,
        run: TrainingRun,
        points: Sequence[tuple[str, float, int]],
        *,
        artifacts: Sequence[Path] = (),
        finished: bool,
    ) -> None:
        """Log a long training as a child of its stage: while it runs the newest points of its curves, then all."""
        record = replace(self._training(run), metrics=points, files=read_files(artifacts))
        self._log(replace(record, status="FINISHED") if finished else record)

    def _training(self, run: TrainingRun) -> RunRecord:
        parent, key = self._key(run.stage), self._key(run.stage, run.name)
        return RunRecord(key, run.name, "training", parent, run.params, status="RUNNING")

    def cell(self, stage: str, row: dict[str, Any], result: dict[str, Any]) -> None:
        """Log one trained cell as a child of its stage.

        Args:
            stage: which trained it.
            row: a row of the table of trained cells: its numbers become metrics, those of the objective as well.
            result: what the training gave.
        """
        steps = range(1, len(result["epoch_losses"]) + 1)
        curves = [("train_loss", loss, step) for step, loss in zip(steps, result["epoch_losses"], strict=True)]
        curves += [
            ("validation_accuracy", value, step) for step, value in zip(steps, result["epoch_accuracies"], strict=False)
        ]
        figures = {name: value for name, value in row.items() if _is_number(value) and name != "round"}
        metrics = {**figures, "seconds": result["seconds"], "images_per_second": result["images_per_second"]}
        self._log(
            RunRecord(
                key=self._key(stage, re.sub(r"\W+", "_", row["origin"]), row["key"]),
                name=f"cell {row['key'][:8]}",
                kind="cell",
                parent=self._key(stage),
                params={name: value for name, value in row.items() if name in _CELL or name.endswith("_from")},
                metrics=[*_points(metrics), *curves],
                tags={"reason": row["reason"]} if row["failed"] else {},
                status="FAILED" if row["failed"] else "FINISHED",
                started=time.time() - result["seconds"],
            )
        )

    def origins(self) -> dict[str, StageOrigin]:
        """Return where the results of each stage of this search come from, as far as it is noted here."""
        return read_origins(self._root, self.name)

    def close(self) -> int:
        """Try to deliver what waits; return how many runs still wait."""
        return self._tracking.close()

    def _key(self, *parts: str) -> str:
        return "-".join([f"search-{self.name}", *parts])

    def _marker(self, what: str) -> Path:
        # Next to the store: whoever deletes that has everything logged again.
        return self._root / FOLDER / "logged" / fingerprint([self._tracking.uri, self._key(), what])

    def _log(self, record: RunRecord) -> None:
        marker = self._marker(record.digest())
        if marker.is_file():
            return
        self._tracking.log(replace(record, tags={**record.tags, **self._provenance}))
        write_bytes(marker, b"")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _points(metrics: dict[str, float]) -> list[tuple[str, float, int]]:
    return [(name, float(value), 0) for name, value in metrics.items()]


def curve_points(history: Sequence[Mapping[str, float]]) -> list[tuple[str, float, int]]:
    """Return the reports of a training as points of curves over its steps."""
    return [(name, value, int(row["step"])) for row in history for name, value in row.items() if name != "step"]


def finite(metrics: dict[str, Any]) -> dict[str, float]:
    """Return the entries that are numbers, the only ones that MLflow takes as metrics."""
    return {name: float(value) for name, value in metrics.items() if _is_number(value) and not pd.isna(value)}
