"""What MLflow shows of one run, as a plain value that can wait on disk."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from nasgem_core.errors import DataError
from tasks.mlflow_runs.models import FullyConnectedModel
from tasks.store.fingerprint import fingerprint

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]
"""MLflow's names; a run that Ctrl-C stopped is killed."""
_NOT_CONTENT = {"in_key": False}


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
    """Everything there is to say about one run.

    A second record with the same key updates that run: a running search becomes a finished one, and a replay changes
    nothing. Where the new record contradicts the run (a parameter or a final metric has another value), a new run
    replaces it.
    """

    key: str
    """Identifies the run for good. No quotes or backslashes."""
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
    files: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Content [bytes] uint8 of each file, by its path among the run's artifacts."""
    models: Sequence[FullyConnectedModel] = ()
    status: Status = "FINISHED"
    started: float | None = field(default=None, metadata=_NOT_CONTENT)
    """Seconds since the epoch; the moment it is put into the outbox by default, like `ended`."""
    ended: float | None = field(default=None, metadata=_NOT_CONTENT)

    def __post_init__(self) -> None:
        for key in (self.key, self.parent):
            if key is not None and (not 0 < len(key) <= 250 or set(key) & set("'\"`\\")):
                raise DataError(f"run key {key!r}: must have 1 to 250 characters without quotes or backslashes")

    def digest(self) -> str:
        """Return a fingerprint of everything but the times."""
        return fingerprint(self)

    def to_plain(self) -> dict[str, Any]:
        """Return the record as text, finite numbers and arrays."""
        return asdict(self) | {
            "params": {name: str(value) for name, value in self.params.items()},
            "metrics": [[name, float(value), int(step)] for name, value, step in self.metrics if math.isfinite(value)],
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read what `to_plain` returned; raises `TypeError` or `KeyError` for anything else."""
        inputs = [Dataset(**each) for each in plain["inputs"]]
        return cls(**{**plain, "inputs": inputs, "models": [FullyConnectedModel(**each) for each in plain["models"]]})


def read_files(paths: Sequence[Path]) -> dict[str, np.ndarray]:
    """Return the content of files by their names; raises `DataError` where one is missing."""
    for path in paths:
        if not path.is_file():
            raise DataError(f"{path} is not a file, and a run's artifacts must be: run the stage that makes it again")
    return {path.name: np.fromfile(path, np.uint8) for path in paths}
