import shutil
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest

from nasgem_core.errors import NasgemError
from tasks.mlflow_runs.run_record import RunRecord
from tasks.mlflow_runs.tracking import start_tracking, tracking_uri, ui_command
from tasks.mlflow_runs.tracking_store import follow_moved_repository, local_database, require_usable_file
from tasks.store.lock import locked


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
    with locked(tmp_path / "copy" / ".nasgem" / "mlflow" / "mlflow.db.lock"):
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


def test_every_path_follows_a_moved_or_copied_repository(place, tmp_path):
    """Also those of registered networks, and of a database in which only some were rewritten by an earlier version."""
    old = place.root / ".nasgem" / "mlflow" / "artifacts"
    shutil.copytree(place.root, tmp_path / "moved")
    database = local_database(tmp_path / "moved")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE experiments SET artifact_location = ?", (str(tmp_path / "moved/.nasgem/x"),))
        connection.execute("INSERT INTO registered_models (name) VALUES ('pears')")
        for version, source in ((1, f"{old}/models/m-1/artifacts"), (2, "s3://bucket/models/m-2")):
            connection.execute(
                "INSERT INTO model_versions (name, version, source, storage_location) VALUES ('pears', ?, ?, ?)",
                (version, source, source),
            )
    follow_moved_repository(tracking_uri(tmp_path / "moved"), tmp_path / "moved")
    query = "SELECT source, storage_location FROM model_versions WHERE name = 'pears' ORDER BY version"
    rows = sqlite3.connect(database).execute(query)
    new = str(tmp_path / "moved/.nasgem/mlflow/artifacts/models/m-1/artifacts")
    assert rows.fetchall() == [(new, new), ("s3://bucket/models/m-2",) * 2]


@pytest.mark.parametrize("name", ["what now? 50% #1", 'it\'s "quoted" ünï 名', "x" * 200 + "/" + "y" * 200])
def test_any_name_of_a_folder_keeps_everything_inside(place, tmp_path, monkeypatch, name):
    root = tmp_path / name
    root.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(place.root, root)
    monkeypatch.chdir(root)
    before = {path.name for path in tmp_path.iterdir()}
    there = place.open(root)
    there.tracking.log(RunRecord("named", "n", "stage", files={"a.json": np.frombuffer(b"best", np.uint8)}))
    assert there.run("named").info.status == "FINISHED"
    files = [path.relative_to(root) for path in root.rglob("a.json")]
    assert len(files) == 1 and files[0].parts[:3] == (".nasgem", "mlflow", "artifacts")
    assert {path.name for path in tmp_path.iterdir()} == before and place.runs("named") == []
    assert ui_command(tracking_uri(root)).startswith("mlflow ui --backend-store-uri ")


@pytest.mark.parametrize("damage", [b"no database" * 100, b"SQLite format 3\0" + bytes(4000)])
def test_a_damaged_database_of_the_repository_has_a_remedy_that_fits(tmp_path, damage):
    database = local_database(tmp_path)
    database.parent.mkdir(parents=True)
    database.write_bytes(damage)
    with pytest.raises(
        NasgemError, match=r"mlflow\.db cannot be reached: .* Move the folder \.nasgem/mlflow away"
    ) as error:
        start_tracking(tmp_path, pytest.fail)
    assert "MLFLOW_TRACKING_URI" not in str(error.value)


def test_a_path_that_is_too_long_for_sqlite_is_not_called_damaged(tmp_path):
    root = tmp_path.joinpath(*["x" * 200] * 3)
    root.mkdir(parents=True)
    with pytest.raises(NasgemError, match=r"SQLite opens no path of more than 500 bytes: work in a folder with a sho"):
        start_tracking(root, pytest.fail)


def test_a_database_of_another_schema_has_a_remedy_that_fits(place, tmp_path):
    shutil.copytree(place.root, tmp_path / "copy")
    with sqlite3.connect(local_database(tmp_path / "copy")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0a8213491aaa'")
    with pytest.raises(
        NasgemError, match=r"cannot be reached: .*`mlflow db upgrade sqlite:////.*move it away$"
    ) as error:
        start_tracking(tmp_path / "copy", pytest.fail)
    assert "MLFLOW_TRACKING_URI" not in str(error.value)


def test_what_was_left_of_making_a_database_is_no_obstacle(tmp_path, monkeypatch):
    database = local_database(tmp_path)
    database.parent.mkdir(parents=True)

    def half(uri):
        with sqlite3.connect(uri.removeprefix("sqlite:///")) as connection:
            connection.execute("CREATE TABLE experiments (a)")
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("mlflow.MlflowClient", half)
        with pytest.raises(NasgemError, match=r"disk is full\. Free space, and run again$"):
            start_tracking(tmp_path, pytest.fail)
    assert not database.exists() and (database.parent / "mlflow.db.new").exists()
    database.touch()
    assert start_tracking(tmp_path, pytest.fail).close() == 0
    assert database.stat().st_size and not (database.parent / "mlflow.db.new").exists()


def test_a_file_that_cannot_be_written_is_found_at_once(tmp_path):
    with pytest.raises(sqlite3.Error, match="unable to open"):
        require_usable_file(f"sqlite:///{tmp_path}")
    require_usable_file("http://127.0.0.1:1")
