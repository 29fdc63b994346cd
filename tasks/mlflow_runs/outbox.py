"""Runs on their way to MLflow: plain records, written to disk before anything else happens to them.

Each record is a folder of the outbox, complete from the moment it has its name (built aside, synced, renamed), with
its own copies of the files it takes along. It leaves the outbox only after it has been delivered. So neither a killed
process nor an unreachable server loses a run, and records arrive in the order they were put.
"""

import hashlib
import json
import math
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from nasgem_core.errors import DataError, NasgemError
from nasgem_core.files import sync
from tasks.mlflow_runs.models import FullyConnectedModel

_SCHEMA = 1
_ABANDONED_AFTER = 3600.0
"""Seconds after which a folder that never became a record, or a delivered one, is known to be nobody's."""


Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]
"""As MLflow names them; what Ctrl-C has stopped is killed."""


class RecordRefused(NasgemError):
    """MLflow is there, but will never take this record as it is."""


@dataclass(frozen=True)
class Dataset:
    """A data set that a run read."""

    name: str
    digest: str
    """Hash of the content; MLflow keeps its first 36 characters."""
    source: str
    """Path or address it came from."""


@dataclass(frozen=True)
class RunRecord:
    """All there is to say about one run.

    Putting a record with a key that was put before brings that run up to date: a running search becomes a finished
    one, and a replay changes nothing. Where the new record contradicts what the run holds (a parameter or a final
    metric has another value) the run is replaced by a new one.
    """

    key: str
    """Identifies the run for good: a second record of this key is the same run. No quotes or backslashes."""
    name: str
    """What the UI shows."""
    kind: Literal["search", "stage", "cell", "training"]
    parent: str | None = None
    """Key of the run this one belongs to."""
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Sequence[tuple[str, float, int]] = ()
    """(name, value, step); values that are not finite are left out."""
    tags: Mapping[str, str] = field(default_factory=dict)
    inputs: Sequence[Dataset] = ()
    artifacts: Sequence[tuple[Path, str]] = ()
    """(file, folder among the run's artifacts, "" for the top); the file is copied when the record is put."""
    models: Sequence[FullyConnectedModel] = ()
    status: Status = "FINISHED"
    started: float | None = None
    """Seconds since the epoch; the moment of `put` if not given. Not part of the record's digest, nor is `ended`."""
    ended: float | None = None

    def __post_init__(self) -> None:
        for key in (self.key, self.parent):
            if key is not None and (not 0 < len(key) <= 250 or set(key) & set("'\"`\\")):
                raise DataError(f"run key {key!r}: 1 to 250 characters without quotes or backslashes are needed")


class Outbox:
    """A folder of records waiting for delivery.

    Args:
        folder: where they wait; created when the first record is put.
        on_warning: told about each record that had to be set aside (moved to `<folder>/refused`).
    """

    def __init__(self, folder: Path, on_warning: Callable[[str], None]) -> None:
        self.folder = folder
        self._on_warning = on_warning
        self._naming = threading.Lock()
        self._last_moment = 0

    def put(self, record: RunRecord) -> None:
        """Store `record` and copies of its files on disk; when this returns, it will be delivered.

        Raises:
            DataError: an artifact is not there.
        """
        for source, _ in record.artifacts:
            if not Path(source).is_file():
                raise DataError(f"run {record.key}: its artifact {source} is not a file")
        now = time.time()
        name = self._new_name(record.key)
        building = self.folder / f"{name}.building"
        building.mkdir(parents=True)
        content = _store_files(record, building)
        document = {
            "schema": _SCHEMA,
            "digest": _digest(content),
            "started": now if record.started is None else record.started,
            "ended": now if record.ended is None else record.ended,
            "record": content,
        }
        (building / "record.json").write_text(json.dumps(document, indent=1, allow_nan=False), encoding="utf-8")
        for path in (*building.rglob("*"), building):
            sync(path)
        building.rename(self.folder / name)
        sync(self.folder)

    def pending(self) -> list[Path]:
        """Return the waiting records' folders, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if path.name[0].isdigit() and not path.suffix)

    def deliver(self, write: Callable[[RunRecord, str], None], *, wait: bool = False) -> None:
        """Hand the waiting records, oldest first, to `write(record, digest)`, each removed once that has returned.

        One process (and thread) delivers at a time: while another does, this returns at once, or waits for its turn
        if `wait`. A damaged record, or one for which `write` raises `RecordRefused`, is set aside with a warning. Any
        other error of `write` ends the delivery; that record and those after it stay.
        """
        from filelock import FileLock, Timeout

        if not self.pending():
            return
        try:
            with FileLock(self.folder / "deliver.lock", timeout=-1 if wait else 0):
                self._remove_abandoned()
                while entries := self.pending():
                    for entry in entries:
                        self._deliver_one(entry, write)
        except Timeout:
            return

    def _deliver_one(self, entry: Path, write: Callable[[RunRecord, str], None]) -> None:
        try:
            write(*_read(entry))
        except (DataError, RecordRefused) as error:
            refused = self.folder / "refused"
            refused.mkdir(exist_ok=True)
            entry.rename(refused / entry.name)
            self._on_warning(f"run record {entry.name} was moved to {refused}: {error}")
            return
        # Renamed first: a kill in the middle of the removal must not leave half a record under a valid name.
        delivered = entry.with_name(f"{entry.name}.delivered")
        entry.rename(delivered)
        shutil.rmtree(delivered)

    def _remove_abandoned(self) -> None:
        for path in (*self.folder.glob("*.building"), *self.folder.glob("*.delivered")):
            with suppress(FileNotFoundError):  # one that is being built may get its name at this moment
                if time.time() - path.stat().st_mtime > _ABANDONED_AFTER:
                    shutil.rmtree(path)

    def _new_name(self, key: str) -> str:
        """Return a name that sorts by time; within a process also when the clock stands still or goes back."""
        with self._naming:
            self._last_moment = max(time.time_ns(), self._last_moment + 1)
            return f"{self._last_moment:020d}-{os.getpid()}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def _store_files(record: RunRecord, folder: Path) -> dict[str, Any]:
    """Copy the record's files into `folder` and return the record as a JSON document that refers to the copies."""
    artifacts, models = [], []
    for i, (source, place) in enumerate(record.artifacts):
        copy = folder / "artifacts" / str(i) / Path(source).name
        copy.parent.mkdir(parents=True)
        shutil.copyfile(source, copy)
        artifacts.append({"file": str(copy.relative_to(folder)), "sha256": _file_digest(copy), "folder": place})
    for i, model in enumerate(record.models):
        copy = folder / f"model{i}.safetensors"
        model.save(copy)
        models.append({"file": copy.name, "sha256": _file_digest(copy), "name": model.name})
    return {
        "key": record.key,
        "name": record.name,
        "kind": record.kind,
        "parent": record.parent,
        "params": {name: str(value) for name, value in record.params.items()},
        "metrics": [[name, float(value), int(step)] for name, value, step in record.metrics if math.isfinite(value)],
        "tags": {name: str(value) for name, value in record.tags.items()},
        "inputs": [[dataset.name, dataset.digest, dataset.source] for dataset in record.inputs],
        "artifacts": artifacts,
        "models": models,
        "status": record.status,
    }


def _read(entry: Path) -> tuple[RunRecord, str]:
    """Return the record in folder `entry` and its digest; raises `DataError` where anything is not as it was put."""
    try:
        document = json.loads((entry / "record.json").read_text(encoding="utf-8"))
        content, digest = document["record"], document["digest"]
        if document["schema"] != _SCHEMA:
            raise DataError(f"{entry / 'record.json'} has schema {document['schema']}, this version reads {_SCHEMA}")
        if digest != _digest(content):
            raise DataError(f"{entry / 'record.json'} is corrupt: its digest does not match")
        for kept in content["artifacts"] + content["models"]:
            if kept["sha256"] != _file_digest(entry / kept["file"]):
                raise DataError(f"{entry / kept['file']} is corrupt: its digest does not match")
        models = [FullyConnectedModel.load(kept["name"], entry / kept["file"]) for kept in content["models"]]
        record = RunRecord(
            **content
            | {
                "inputs": [Dataset(*dataset) for dataset in content["inputs"]],
                "artifacts": [(entry / kept["file"], kept["folder"]) for kept in content["artifacts"]],
                "models": models,
                "started": document["started"],
                "ended": document["ended"],
            }
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{entry / 'record.json'} is truncated or no run record: {error}") from error
    return record, digest


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
