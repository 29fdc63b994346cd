import errno
import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from flows.runtime.lock import folder_lock, who_works_here
from nasgem_core.errors import NasgemError

ROOT = Path(__file__).parents[3]
HOLD = "from flows.runtime.lock import folder_lock\nwith folder_lock(): print('held', flush=True); input()"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def other():
    """Another process that holds the folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_is_refused_and_the_holder_is_named(other):
    with pytest.raises(NasgemError, match=f"process {other.pid} is already working in this folder"), folder_lock():
        pytest.fail("two hold the folder")


def test_a_killed_holder_holds_nothing(other):
    other.kill()
    other.wait()
    with folder_lock():
        assert Path(".nasgem/holder").read_text() == f"process {os.getpid()}"


def test_blocks_of_one_process_can_be_nested(other):
    other.kill()
    other.wait()
    with folder_lock():
        with folder_lock():
            pass
        again = subprocess.run(
            [sys.executable, "-c", HOLD],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            input="\n",
            capture_output=True,
            text=True,
            check=False,
        )
    assert "already working in this folder" in again.stderr and "held" not in again.stdout
    with folder_lock():
        pass


def test_who_asks_holds_nothing(other):
    assert who_works_here() == f"process {other.pid} is already working in this folder"
    other.kill()
    other.wait()
    assert who_works_here() is None


def test_a_moment_in_which_somebody_asks_does_not_break_a_search(monkeypatch):
    monkeypatch.setattr("tasks.store.lock._PAUSE", 0.01)
    Path(".nasgem").mkdir()
    descriptor = os.open(".nasgem/lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    asked = threading.Timer(0.1, os.close, [descriptor])
    asked.start()
    with folder_lock():
        assert not asked.is_alive()


def test_a_file_system_without_locks_is_named_and_nobody_blamed(monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(NasgemError, match=r"^\.nasgem/lock cannot be locked \(No locks available\)"), folder_lock():
        pytest.fail("it is not locked")


def test_a_user_who_cannot_look_is_not_told_that_nothing_runs(monkeypatch):
    def denied(_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("flows.runtime.lock.is_locked", denied)
    assert who_works_here() == "Only the owner of .nasgem can see whether a process is working in this folder"
