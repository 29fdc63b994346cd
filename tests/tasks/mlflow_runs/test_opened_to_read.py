"""A folder that cannot be written, or that belongs to someone else."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from nasgem_core.errors import NasgemError
from tasks.mlflow_runs import opened_to_read as module
from tasks.mlflow_runs.opened_to_read import opened_to_read
from tasks.mlflow_runs.run_record import RunRecord
from tasks.mlflow_runs.tracking_store import local_database


@pytest.fixture
def root(place, tmp_path, monkeypatch):
    """Give a moved copy of a folder with a run, in which nothing can be written."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if not place.runs("read"):
        place.tracking.log(RunRecord("read", "r", "stage", files={"read.json": np.frombuffer(b"best", np.uint8)}))
    shutil.copytree(place.root, tmp_path / "moved")
    monkeypatch.setattr(module.os, "access", lambda path, mode: mode != os.W_OK)
    return tmp_path / "moved"


def test_a_database_that_cannot_be_written_is_read_where_its_folder_is_now(root):
    database, names = local_database(root), set(root.rglob("*"))
    before = database.read_bytes()
    with opened_to_read(root) as (client, uri):
        (experiment,) = [each for each in client.search_experiments() if each.name == "nasgem"]
        (run,) = client.search_runs([experiment.experiment_id], "tags.`nasgem.key` = 'read'")
        assert Path(run.info.artifact_uri).is_relative_to(root)
        copy = Path(uri.removeprefix("sqlite:///"))
        assert copy.is_file() and not copy.is_relative_to(root)
    assert not copy.exists() and database.read_bytes() == before and set(root.rglob("*")) == names


def test_one_that_only_its_owner_can_read_is_named_with_what_helps(root, monkeypatch):
    def denied(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", denied)
    with (
        pytest.raises(NasgemError, match=r"^only its owner can read .*mlflow, .*: name a file or folder instead$"),
        opened_to_read(root),
    ):
        pytest.fail("it was read")


def test_one_that_can_be_written_is_not_copied(root, monkeypatch):
    monkeypatch.setattr(module.os, "access", lambda *_: True)
    with opened_to_read(root) as (_, uri):
        assert uri == f"sqlite:///{local_database(root)}"
