import errno
import os
from pathlib import Path

import pytest

from nasgem_core import files
from nasgem_core.files import content_of, written_whole


def write(path, content):
    with written_whole(path) as file:
        file.write(content)


def test_a_file_is_there_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "file"
    with written_whole(path) as file:
        file.write(b"first")
        assert not path.exists()
    with pytest.raises(KeyError), written_whole(path) as file:
        file.write(b"second")
        raise KeyError
    assert path.read_bytes() == b"first" and os.listdir(path.parent) == ["file"]


def test_pipes_and_devices_are_not_waited_for(tmp_path):
    write(tmp_path / "file", b"content")
    os.mkfifo(tmp_path / "pipe")
    assert content_of(tmp_path / "file") == b"content"
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path / "none"):
        with pytest.raises(FileNotFoundError) as raised:
            content_of(path)
        assert raised.value.filename == str(path)
    with pytest.raises(IsADirectoryError):
        content_of(tmp_path)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch, step):
    path = tmp_path / "file"
    write(path, b"old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", full) if step == "fsync" else patch.setattr(Path, "replace", full)
        with pytest.raises(OSError, match="No space left") as raised:
            write(path, b"new")
    assert raised.value.filename == str(path)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_a_process_that_dies_in_a_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write(path, b"old")

    class Killed(BaseException):
        pass

    def killed(_):
        raise Killed

    monkeypatch.setattr(files.os, "fsync", killed)
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)  # no time to clean up
    with pytest.raises(Killed):
        write(path, b"new")
    assert path.read_bytes() == b"old"
    assert all(item == path or item.name.endswith(".tmp") for item in tmp_path.iterdir())
