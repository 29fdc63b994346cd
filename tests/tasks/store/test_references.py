import os

import pytest

from nasgem_core.errors import DataError
from tasks.store.artifacts import read_json
from tasks.store.references import reference_path, referred_folder, refresh_references, write_reference


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Make a data set outside of the current folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in ("train/a/1.jpg", "train/b/2.jpg", "val/a/3.jpg", ".hidden/4.jpg", "train/.x"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(name.encode())
    return tmp_path / "set"


def test_a_reference_says_what_is_there(folder):
    path = write_reference("imagenet", folder)
    assert path == reference_path("imagenet") and path.as_posix() == "data/references/imagenet.json"
    found = read_json(path, "nasgem.reference/1")
    assert (found["folder"], found["files"], found["bytes"]) == (str(folder), 3, 37)
    assert referred_folder("imagenet") == str(folder)


def test_any_change_of_the_files_is_seen_and_no_other(folder):
    write_reference("imagenet", folder)
    assert refresh_references() == []
    os.utime(folder / "train/a/1.jpg", (1, 1))
    (folder / ".hidden" / "4.jpg").unlink()
    assert refresh_references() == []
    for change in (
        lambda: (folder / "train/a/1.jpg").write_bytes(b"train/a/2.jpg"),  # as long as before
        lambda: (folder / "train/a/1.jpg").rename(folder / "train/a/0.jpg"),
        (folder / "train/b/2.jpg").unlink,
        lambda: (folder / "val/a/5.jpg").write_bytes(b""),
    ):
        change()
        assert refresh_references() == ["imagenet"] and refresh_references() == []


def test_linked_folders_count_and_circles_end(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "9.jpg").write_bytes(b"9")
    (folder / "train" / "c").symlink_to(tmp_path / "elsewhere")
    (folder / "train" / "circle").symlink_to(folder)
    assert read_json(write_reference("coco", folder), "nasgem.reference/1")["files"] == 4


def test_what_is_not_there_is_named(folder, tmp_path):
    with pytest.raises(DataError, match="has no files: name the folder of a data set"):
        write_reference("coco", tmp_path / "here")
    with pytest.raises(DataError, match="missing cannot be read"):
        write_reference("coco", tmp_path / "missing")
    write_reference("coco", folder)
    folder.rename(tmp_path / "moved")
    assert refresh_references() == []  # the stages that read it say so
