"""What MLflow is told of a search: one run for it, a child a stage, a child of that an evaluated cell."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd

from nasgem_core.config.search import SearchConfig
from tasks.mlflow_runs.models import FullyConnectedModel
from tasks.mlflow_runs.outbox import Dataset, RunRecord, Status
from tasks.mlflow_runs.tracking import Tracking, flat_params, provenance
from tasks.mlflow_runs.tracking_store import FOLDER
from tasks.store.artifacts import write_bytes
from tasks.store.fingerprint import fingerprint


class SearchRecords:
    """Logs the runs of one search, each once for equal content however often its stages are replayed.

    Args:
        tracking: where runs go.
        root: the repository.
        config: parameters of the search.
        images_hash: content hash of the proxy images.
    """

    def __init__(self, tracking: Tracking, root: Path, config: SearchConfig, images_hash: str) -> None:
        self._tracking = tracking
        self._root = root
        self._config = config
        self._images = Dataset(config.proxy.dataset, images_hash, config.proxy.dataset)
        self.name = fingerprint([asdict(config), images_hash])[:8]
        self._provenance = provenance(root)
        self._stage_started = time.time()

    def search(self, metrics: dict[str, float] | None = None, artifacts: Sequence[Path] = ()) -> None:
        """Log the search itself: as running, or with its result as finished."""
        if metrics is None:
            if not self._marker("search finished").is_file():
                self._log(self._running())
            return
        artifacts_at_top = [(path, "") for path in artifacts]
        finished = replace(self._running(), metrics=_points(metrics), artifacts=artifacts_at_top, status="FINISHED")
        self._log(finished)
        write_bytes(self._marker("search finished"), b"")

    def stage(
        self,
        stage: str,
        metrics: dict[str, float],
        *,
        curves: Sequence[tuple[str, float, int]] = (),
        artifacts: Sequence[Path] = (),
        models: Sequence[FullyConnectedModel] = (),
        inputs: Sequence[Dataset] = (),
    ) -> None:
        """Log a finished stage with its section of the parameters."""
        self.search()
        self._log(
            RunRecord(
                key=self._key(stage),
                name=stage,
                kind="stage",
                parent=self._key(),
                params=self._section(stage),
                metrics=[*_points(metrics), *curves],
                artifacts=[(path, "") for path in artifacts],
                models=models,
                inputs=inputs,
                started=self._stage_started,
            )
        )
        self._stage_started = time.time()

    def begin(self, stage: str) -> None:
        """Log a stage as running, so that what it logs meanwhile has its place."""
        self.search()
        self._log(self._running(stage))

    def stopped(self, stage: str, status: Status) -> None:
        """Log that a stage has ended without a result, if it had begun, and the search with it."""
        if self._marker(_content(self._running(stage))).is_file():
            self._log_stop(self._running(stage), status)
        if not self._marker("search finished").is_file():
            self._log_stop(self._running(), status)

    def training_stopped(self, stage: str, name: str, params: dict[str, Any], status: Status) -> None:
        """Log that a training has ended before its time; what it has told so far stays."""
        self._log_stop(
            RunRecord(self._key(stage, name), name, "training", self._key(stage), params, status="RUNNING"), status
        )

    def _running(self, stage: str = "") -> RunRecord:
        """Return the record of the search, or of a stage, that is running."""
        if not stage:
            params = flat_params(self._config)
            name = f"search {self.name}"
            return RunRecord(self._key(), name, "search", params=params, inputs=[self._images], status="RUNNING")
        key, started = self._key(stage), self._stage_started
        return RunRecord(key, stage, "stage", self._key(), self._section(stage), status="RUNNING", started=started)

    def _section(self, stage: str) -> dict[str, str]:
        """Return the parameters of a stage, none where it has no section."""
        section = getattr(self._config, stage, None)
        return {} if section is None else flat_params(section, f"{stage}.")

    def _log_stop(self, record: RunRecord, status: Status) -> None:
        """Log a record that was running as stopped, and forget that it ran: it may go on, and stop again."""
        self._marker(_content(record)).unlink(missing_ok=True)
        self._tracking.log(replace(record, status=status, tags={**record.tags, **self._provenance}))

    def training(
        self,
        stage: str,
        name: str,
        params: dict[str, Any],
        points: Sequence[tuple[str, float, int]],
        *,
        artifacts: Sequence[Path] = (),
        finished: bool,
    ) -> None:
        """Log a long training as a child of its stage: while it runs the newest points of its curves, then all."""
        self._log(
            RunRecord(
                key=self._key(stage, name),
                name=name,
                kind="training",
                parent=self._key(stage),
                params=params,
                metrics=points,
                artifacts=[(path, "") for path in artifacts],
                status="FINISHED" if finished else "RUNNING",
            )
        )

    def cell(self, stage: str, row: dict[str, Any], result: dict[str, Any]) -> None:
        """Log one evaluated cell as a child of its stage."""
        steps = range(1, len(result["epoch_losses"]) + 1)
        curves = [("train_loss", loss, step) for step, loss in zip(steps, result["epoch_losses"], strict=True)]
        curves += [
            ("validation_accuracy", value, step) for step, value in zip(steps, result["epoch_accuracies"], strict=False)
        ]
        metrics = {name: float(row[name]) for name in ("accuracy", "score", "macs", "params", "predicted")}
        metrics |= {"seconds": result["seconds"], "images_per_second": result["images_per_second"]}
        self._log(
            RunRecord(
                key=self._key(stage, row["origin"].replace(" ", "_"), row["key"]),
                name=f"cell {row['key'][:8]}",
                kind="cell",
                parent=self._key(stage),
                params={"origin": row["origin"], "round": row["round"], "cell": row["cell"], "key": row["key"]},
                metrics=[*_points(metrics), *curves],
                tags={"reason": row["reason"]} if row["failed"] else {},
                status="FAILED" if row["failed"] else "FINISHED",
                started=time.time() - result["seconds"],
            )
        )

    def close(self) -> int:
        """Try to deliver what waits; return how many runs still do."""
        return self._tracking.close()

    def _key(self, *parts: str) -> str:
        return "-".join([f"search-{self.name}", *parts])

    def _marker(self, what: str) -> Path:
        # Beside the store, so that who deletes it has everything logged anew.
        return self._root / FOLDER / "logged" / fingerprint([self._tracking.uri, self._key(), what])

    def _log(self, record: RunRecord) -> None:
        marker = self._marker(_content(record))
        if marker.is_file():
            return
        self._tracking.log(replace(record, tags={**record.tags, **self._provenance}))
        write_bytes(marker, b"")


def _content(record: RunRecord) -> str:
    """Return a fingerprint of all that a record says, the files' content included."""
    plain = {
        name: getattr(record, name) for name in ("key", "name", "kind", "parent", "params", "metrics", "tags", "status")
    }
    files = [(path.name, folder, fingerprint(path.read_bytes().hex())) for path, folder in record.artifacts]
    return fingerprint([plain, files, [model.digest() for model in record.models], [asdict(i) for i in record.inputs]])


def _points(metrics: dict[str, float]) -> list[tuple[str, float, int]]:
    return [(name, float(value), 0) for name, value in metrics.items()]


def curve_points(history: Sequence[Mapping[str, float]]) -> list[tuple[str, float, int]]:
    """Return the reports of a training as points of curves, over its steps."""
    return [(name, value, int(row["step"])) for row in history for name, value in row.items() if name != "step"]


def finite(metrics: dict[str, Any]) -> dict[str, float]:
    """Return the entries that are numbers, which is what MLflow can hold."""
    return {
        name: float(value)
        for name, value in metrics.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and not pd.isna(value)
    }
