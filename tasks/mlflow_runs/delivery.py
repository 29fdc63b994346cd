"""Writing a run record into MLflow so that any step may fail, and be repeated, without harm."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.mlflow_runs.models import DIGEST_TAG, log_model
from tasks.mlflow_runs.outbox import RecordRefused
from tasks.mlflow_runs.run_record import RunRecord
from tasks.run.masking import without_secrets

if TYPE_CHECKING:
    from mlflow import MlflowClient

KEY_TAG, PARENT_TAG, KIND_TAG = "nasgem.key", "nasgem.parent", "nasgem.kind"
MLFLOW_PARENT_TAG = "mlflow.parentRunId"
_MAX_PARAM, _MAX_TAG, _MAX_DATASET_DIGEST = 6000, 8000, 36
_MAX_FOUND = 50_000
"""Runs that MLflow returns at most for one search."""
_BATCH = 100
"""Parameters or tags that MLflow takes in one call; it would take more metrics."""


class RunWriter:
    """Writes records into one experiment.

    Every call it makes can be repeated: metric points carry the run's start time, so that MLflow takes the same point
    only once; parameters, tags, inputs and artifacts overwrite themselves.
    """

    def __init__(self, client: "MlflowClient", experiment_id: str) -> None:
        self._client = client
        self._experiment_id = experiment_id

    def write(self, record: RunRecord, digest: str) -> None:
        """Update the run with the record's key to the content of `record`; does nothing if it has it already.

        Raises:
            RecordRefused: MLflow finds a name or value of the record invalid.
            MlflowException: MLflow cannot be reached, or fails.
        """
        from mlflow.exceptions import MlflowException

        try:
            self._write(record, digest)
        except MlflowException as error:
            if error.error_code == "INVALID_PARAMETER_VALUE":
                raise RecordRefused(f"MLflow refuses run {record.key}: {error.message}") from error
            raise

    def _write(self, record: RunRecord, digest: str) -> None:
        run = next(iter(self._search(KEY_TAG, record.key)), None)
        if run and run.data.tags.get(DIGEST_TAG) == digest and run.info.status == record.status:
            return
        if run and not _agrees(run, record):
            self._client.delete_run(run.info.run_id)
            run = None
        run = run or self._create(record)
        run_id = run.info.run_id
        self._log_inputs(run_id, record)
        self._log_files(run_id, record)
        for model in record.models:
            log_model(self._client, run, model)
        if DIGEST_TAG not in run.data.tags and record.kind != "cell":
            self._adopt_children(record.key, run_id)
        self._log_values(run, record, digest)
        if record.status != "RUNNING":
            self._client.set_terminated(run_id, record.status, _end_of(record, run))
        elif run.info.status != "RUNNING":
            self._client.update_run(run_id, "RUNNING")

    def _search(self, tag: str, value: str) -> Any:
        return self._client.search_runs([self._experiment_id], f"tags.`{tag}` = '{value}'", max_results=_MAX_FOUND)

    def _create(self, record: RunRecord) -> Any:
        tags = {KEY_TAG: record.key, KIND_TAG: record.kind}
        if record.parent is not None:
            tags[PARENT_TAG] = record.parent
            for parent in self._search(KEY_TAG, record.parent):
                tags[MLFLOW_PARENT_TAG] = parent.info.run_id
        return self._client.create_run(self._experiment_id, _milliseconds(record.started), tags, record.name)

    def _adopt_children(self, key: str, run_id: str) -> None:
        """Make a new run the parent of the runs that name its key: they came before it, or it replaces their parent."""
        for child in self._search(PARENT_TAG, key):
            if child.data.tags.get(MLFLOW_PARENT_TAG) != run_id:
                self._client.set_tag(child.info.run_id, MLFLOW_PARENT_TAG, run_id)

    def _log_values(self, run: Any, record: RunRecord, digest: str) -> None:
        from mlflow.entities import Metric, Param, RunTag

        params = [Param(name, value) for name, value in _shown_params(record).items()]
        metrics = [Metric(name, value, run.info.start_time, step) for name, value, step in record.metrics]
        tags = [RunTag(name, _shortened(without_secrets(value), _MAX_TAG)) for name, value in record.tags.items()]
        # MLflow writes the tags of a batch last, so the digest can share the last batch.
        tags.append(RunTag(DIGEST_TAG, digest))
        for i in range(_BATCH, max(len(params), len(metrics)), _BATCH):
            self._client.log_batch(run.info.run_id, metrics[i : i + _BATCH], params[i : i + _BATCH])
        self._client.log_batch(run.info.run_id, metrics[:_BATCH], params[:_BATCH], tags)

    def _log_files(self, run_id: str, record: RunRecord) -> None:
        if not record.files:
            return
        with tempfile.TemporaryDirectory() as folder:
            for name, content in record.files.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.data)  # of a full disk NumPy's own `tofile` raises only numbers
            self._client.log_artifacts(run_id, folder)

    def _log_inputs(self, run_id: str, record: RunRecord) -> None:
        from mlflow.entities import Dataset, DatasetInput

        inputs = []
        for item in record.inputs:
            source = json.dumps({"uri": without_secrets(item.source)})
            inputs.append(DatasetInput(Dataset(item.name, item.digest[:_MAX_DATASET_DIGEST], "local", source)))
        if inputs:
            self._client.log_inputs(run_id, inputs)


def _agrees(run: Any, record: RunRecord) -> bool:
    """Whether `run` can become `record` by additions: it is the same half written, an earlier state, or a replay.

    MLflow never changes a parameter or takes back a metric point, so any other run has to make room for a new one. A
    record that is still running, or was stopped, may have fewer metrics than the run it repeats, and so may a search
    whose command has ended before it was finished.
    """
    stopped = record.status != "FINISHED" and record.kind != "cell"
    unfinished = record.status == "RUNNING" or stopped or (record.kind == "search" and not record.metrics)
    params = _shown_params(record)
    points = {(name, value) for name, value, _ in record.metrics}
    return all(params.get(name) == value for name, value in run.data.params.items()) and (
        unfinished or points.issuperset(run.data.metrics.items())
    )


def _shown_params(record: RunRecord) -> dict[str, str]:
    return {name: _shortened(without_secrets(value), _MAX_PARAM) for name, value in record.params.items()}


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."


def _end_of(record: RunRecord, run: Any) -> int | None:
    """Return the end of a run, which is its start where the clock was set back in between."""
    ended = _milliseconds(record.ended)
    return ended if ended is None else max(ended, run.info.start_time)


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
