import errno
import fcntl
import os
import threading
from pathlib import Path

import pytest

from nasgem_core.errors import NasgemError
from tasks.store.lock import LockHeldError, is_locked, locked


def test_one_at_a_time_and_free_again_afterwards(tmp_path):
    path = tmp_path / "lock"
    assert not is_locked(path) and not path.exists()
    with locked(path):
        assert is_locked(path)
        with pytest.raises(LockHeldError, match=f"another process holds {path}"), locked(path, patience=0):
            pytest.fail("two hold it")
    assert not is_locked(path)
    with pytest.raises(ZeroDivisionError), locked(path):
        raise ZeroDivisionError
    with locked(path, patience=0):
        pass


def test_whoever_is_patient_gets_its_turn(tmp_path):
    order = []

    def second() -> None:
        with locked(tmp_path / "lock"):
            order.append("second")

    with locked(tmp_path / "lock"):
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.15)
        order.append("first")
    waiting.join(10)
    assert order == ["first", "second"]


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EIO])
def test_a_file_system_without_locks_is_not_another_process(tmp_path, monkeypatch, number):
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", fail)
    with (
        pytest.raises(NasgemError, match=r"lock cannot be locked \(.+\): the file system has no locks") as error,
        locked(tmp_path / "lock", patience=0),
    ):
        pytest.fail("it is not locked")
    assert not isinstance(error.value, LockHeldError)


def test_a_place_that_cannot_be_written_stays_an_error_of_the_system():
    with pytest.raises(OSError), locked(Path("/proc/nowhere/lock")):
        pytest.fail("there is no such folder")


def test_a_lock_that_this_user_cannot_see_is_not_taken_for_free(tmp_path, monkeypatch):
    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", denied)
    with pytest.raises(PermissionError):
        is_locked(tmp_path / "lock")


def test_a_pipe_in_place_of_a_lock_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "lock")
    assert not is_locked(tmp_path / "lock")
