import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows.runtime import full_disk
from flows.runtime.full_disk import mount_point, where_to_free

ROOM = SimpleNamespace(f_bavail=10**6, f_frsize=4096, f_files=10, f_favail=5)


@pytest.fixture
def disks(tmp_path, monkeypatch):
    """Put folders on disks of their own, with what is left there; give a function that does so."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(full_disk, "_SHARED", tmp_path)
    left = {tmp_path: ROOM}
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) in left)
    monkeypatch.setattr(os, "statvfs", lambda path: left[Path(path)])

    def disk(folder: str, **values: int) -> Path:
        (tmp_path / folder).mkdir(parents=True)
        left[tmp_path / folder] = SimpleNamespace(**{**vars(ROOM), **values})
        return tmp_path / folder

    return disk


def test_a_file_is_on_the_disk_of_the_next_folder_above_it(disks, tmp_path):
    place = disks("data/report")
    (tmp_path / "link").symlink_to(place)
    for file in ("data/report/new/a.png", "data/report", "link/a.png"):
        assert mount_point(Path(file)) == place
    assert mount_point(Path("data/a.png")) == tmp_path


def test_the_disk_of_a_file_is_named_with_what_is_left(disks):
    place = disks("data/report", f_bavail=300)
    assert where_to_free("data/report/a.png") == f" at {place} (1.2 MB left)"
    assert where_to_free(Path("data/report/a.png")) == f" at {place} (1.2 MB left)"


@pytest.mark.parametrize("folder", [".nasgem", ".nasgem/mlflow", ".nasgem/prefect/storage", "data/report", "tmp"])
def test_without_a_file_the_disks_that_are_nearly_full_are_named(disks, folder):
    place = disks(folder, f_bavail=0)
    assert where_to_free() == f" at {place} (0.0 MB left)"


def test_two_disks_may_be_full_and_one_may_lack_room_for_names_alone(disks, tmp_path):
    first, second = disks(".nasgem/outbox", f_favail=0), disks("tmp", f_bavail=100)
    assert where_to_free() == f" at {first} (no more files fit) or {second} (0.4 MB left)"


@pytest.mark.parametrize("written", [None, 3])
def test_where_no_disk_is_full_none_is_named(disks, written):
    assert where_to_free(written) == ""


def test_a_disk_that_has_gone_is_not_asked(disks, monkeypatch):
    monkeypatch.setattr(os, "statvfs", lambda _: os.stat("/nowhere"))
    assert where_to_free() == where_to_free("a") == ""
