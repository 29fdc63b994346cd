import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from tasks.mlflow_runs.run_record import RunRecord
from tasks.mlflow_runs.tracking import start_tracking


@pytest.fixture(autouse=True)
def no_server(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def test_everything_is_inside_the_repository_and_moves_with_it(place, tmp_path, capfd, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    content = np.frombuffer(b"best", np.uint8)
    place.tracking.log(RunRecord("moved", "m", "stage", files={"cells/best.json": content}))
    assert str(place.root / ".nasgem" / "mlflow") in place.run("moved").info.artifact_uri
    assert {path.name for path in place.root.iterdir()} == {".nasgem"}

    shutil.copytree(place.root, tmp_path / "moved")
    moved = place.open(tmp_path / "moved")
    run = moved.run("moved")
    assert run.info.artifact_uri.startswith(str(tmp_path / "moved" / ".nasgem" / "mlflow" / "artifacts"))
    assert Path(run.info.artifact_uri, "cells", "best.json").read_text() == "best"
    moved.tracking.log(RunRecord("new", "n", "stage", files={"cells/best.json": content}))
    assert moved.run("new").info.artifact_uri.startswith(str(tmp_path / "moved"))
    assert place.runs("new") == []
    assert list(Path.cwd().iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_the_database_is_opened_by_one_at_a_time(place, tmp_path):
    shutil.copytree(place.root, tmp_path / "copy")
    opened = threading.Thread(target=start_tracking, args=(tmp_path / "copy", pytest.fail))
    with FileLock(tmp_path / "copy" / ".nasgem" / "mlflow" / "mlflow.db.lock"):
        opened.start()
        opened.join(0.3)
        assert opened.is_alive()
    opened.join(20)
    assert not opened.is_alive()


def test_a_deleted_experiment_is_restored(place):
    place.client.delete_experiment(place.experiment_id)
    tracking = start_tracking(place.root, pytest.fail)
    tracking.log(RunRecord("restored", "r", "cell"))
    assert place.run("restored").info.status == "FINISHED"
