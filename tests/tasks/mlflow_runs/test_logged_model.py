import shutil
from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

from tasks.mlflow_runs.logged_model import add_model, description_of, requirements, save_program


class Client:
    """Records what is called, in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def create_logged_model(self, experiment: str, name: str, run: str, tags: dict[str, str]) -> Any:
        self.calls.append(("create", experiment, name, run, tags))
        return SimpleNamespace(model_id="m")

    def log_model_artifacts(self, model: str, folder: str) -> None:
        from pathlib import Path

        self.calls.append(("artifacts", model, [path.name for path in Path(folder).iterdir()]))

    def finalize_logged_model(self, model: str, status: Any) -> str:
        self.calls.append(("finalize", model, str(status)))
        return "ready"


RUN = SimpleNamespace(info=SimpleNamespace(experiment_id="e", run_id="r"))


def test_a_model_is_ready_after_its_files_are_there():
    client = Client()

    def save(folder, logged):
        folder.mkdir()
        (folder / "MLmodel").write_text(logged.model_id)

    assert add_model(client, RUN, "encoder", {"a": "b"}, save) == "ready"
    assert client.calls == [
        ("create", "e", "encoder", "r", {"a": "b"}),
        ("artifacts", "m", ["MLmodel"]),
        ("finalize", "m", "READY"),
    ]


def test_a_model_that_cannot_be_written_is_not_ready():
    def save(folder, logged):
        raise OSError("full")

    client = Client()
    with pytest.raises(OSError, match="full"):
        add_model(client, RUN, "encoder", {}, save)
    assert [call[0] for call in client.calls] == ["create"]


def test_what_a_model_says_of_itself():
    logged = SimpleNamespace(artifact_location="place", source_run_id="r", model_id="m")
    found = description_of(logged)
    assert (found.artifact_path, found.run_id, found.model_id, found.model_uuid) == ("place", "r", "m", "m")
    names = [line.split("==") for line in requirements("numpy")]
    assert [name for name, _ in names] == ["torch", "mlflow", "numpy"] and all("+" not in text for _, text in names)


def test_a_model_is_not_written_where_it_does_not_fit(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: asked.append(folder) or SimpleNamespace(free=2**21))
    with pytest.raises(OSError, match="No space left on device") as raised:
        save_program(nn.Linear(3, 2), tmp_path / "model", None, [(3,), (2,)])
    assert asked == [tmp_path] and raised.value.filename == str(tmp_path) and not list(tmp_path.iterdir())
