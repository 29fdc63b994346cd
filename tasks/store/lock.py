"""Locks of files: the operating system's, which vanish with the process that holds them, however it ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nasgem_core.errors import NasgemError

_HELD = (BlockingIOError, PermissionError)
"""What the system raises where another process holds a lock."""
_PAUSE = 0.05


class LockHeldError(NasgemError):
    """Another process holds a lock."""


@contextmanager
def locked(path: Path, patience: float = float("inf")) -> Iterator[None]:
    """Hold a lock while the block runs.

    Args:
        path: its file, which is made where there is none, and stays.
        patience: seconds to wait for another process that holds it.

    Raises:
        LockHeldError: another process has held it all the time.
        NasgemError: the file system has no locks.
        OSError: the file cannot be made.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        deadline = time.monotonic() + patience
        while not _take(descriptor, path, fcntl.LOCK_EX):
            if time.monotonic() >= deadline:
                raise LockHeldError(f"another process holds {path}: wait until it has finished")
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Return whether a process holds a lock, without holding it: whoever takes it at this moment has to try again.

    Raises:
        PermissionError: this user cannot look.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # of a pipe, too
    except PermissionError:
        raise
    except OSError:
        return False
    try:
        return not _take(descriptor, path, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except _HELD:
        return False
    except OSError as error:
        raise NasgemError(
            f"{path} cannot be locked ({error.strerror}): the file system has no locks, without which two processes "
            "could write here at once. Work in a folder on another disk, or mount this one with locks"
        ) from None
    return True
