"""One MLflow database for all tests of tracking: creating it takes seconds."""

from pathlib import Path
from typing import Any

import pytest

from tasks.mlflow_runs.delivery import RunWriter
from tasks.mlflow_runs.tracking import Tracking, start_tracking


class Place:
    """One MLflow database for all tests, each of which has keys of its own."""

    def __init__(self, root: Path, tracking: Tracking) -> None:
        from mlflow import MlflowClient

        self.root = root
        self.tracking = tracking
        self.client = MlflowClient(tracking.uri)
        self.experiment_id = self.client.get_experiment_by_name("nasgem").experiment_id

    @classmethod
    def open(cls, root: Path) -> "Place":
        tracking = start_tracking(root, pytest.fail)
        tracking._clock = lambda: 0.0  # or deliveries, which pause after a slow one, would wait on a busy machine
        return cls(root, tracking)

    def writer(self, client: Any = None) -> RunWriter:
        return RunWriter(client or self.client, self.experiment_id)

    def unreliable_client(self, fail_at: int = 0) -> "UnreliableClient":
        return UnreliableClient(self.client, fail_at)

    def runs(self, key: str) -> list[Any]:
        return list(self.client.search_runs([self.experiment_id], f"tags.`nasgem.key` = '{key}'"))

    def run(self, key: str) -> Any:
        (run,) = self.runs(key)
        return run

    def content(self, key: str) -> dict[str, Any]:
        """All that a user can see of the one run with this key, but for ids and times."""
        run = self.run(key)
        run_id = run.info.run_id
        models = self.client.search_logged_models([self.experiment_id], f"source_run_id = '{run_id}'")
        assert [model.model_id for model in models] == [model.model_id for model in run.outputs.model_outputs]
        return {
            "status": run.info.status,
            "name": run.info.run_name,
            "params": run.data.params,
            "metrics": {
                name: [(point.step, point.value) for point in self.client.get_metric_history(run_id, name)]
                for name in run.data.metrics
            },
            "tags": {name: value for name, value in run.data.tags.items() if name != "nasgem.key"},
            "inputs": [(item.dataset.name, item.dataset.digest) for item in run.inputs.dataset_inputs],
            "artifacts": [item.path for item in self.client.list_artifacts(run_id, "cells")],
            "models": [(model.name, str(model.status)) for model in models],
        }


class UnreliableClient:
    """A client that loses the answer to its n-th call, which has had its effect; with `down`, no call gets through."""

    def __init__(self, client: Any, fail_at: int = 0) -> None:
        self.client, self.fail_at = client, fail_at
        self.calls, self.down = 0, False

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.down:
                raise ConnectionError("no answer")
            result = getattr(self.client, name)(*args, **kwargs)
            if self.calls == self.fail_at:
                raise ConnectionError("the answer was lost")
            return result

        return call


@pytest.fixture(scope="session")
def place(tmp_path_factory) -> Place:
    root = tmp_path_factory.mktemp("a repository")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        return Place.open(root)
