"""One search at a time in one folder; commands that only read neither wait for it nor hold it up."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from flows.runtime.environment import STATE
from nasgem_core.errors import NasgemError
from nasgem_core.files import written_whole
from tasks.store.lock import LockHeldError, is_locked, locked

_HOLDER = STATE / "holder"
_LOCK = STATE / "lock"
_PATIENCE = 1.0
"""Seconds: a command that asks who works here takes the lock for a moment."""
_held: list[bool] = []


@contextmanager
def folder_lock() -> Iterator[None]:
    """Hold the folder while the block runs; the system releases it when the process ends, however it ends.

    Blocks of one process may be nested: the outermost one holds the folder.

    Raises:
        NasgemError: another process holds it, and the message names it; or the file system has no locks.
    """
    if _held:
        yield
        return
    STATE.mkdir(exist_ok=True)
    try:
        with locked(_LOCK, _PATIENCE):
            with written_whole(_HOLDER) as file:
                file.write(f"process {os.getpid()}".encode())
            _held.append(True)
            try:
                yield
            finally:
                _held.clear()
    except LockHeldError:
        raise NasgemError(f"{_working()}: wait until it has finished, or use another folder") from None


def who_works_here() -> str | None:
    """Return a sentence about the process that holds the folder, nothing where none does; holds nothing itself."""
    try:
        return _working() if is_locked(_LOCK) else None
    except PermissionError:
        return f"Only the owner of {STATE} can see whether a process is working in this folder"


def _working() -> str:
    holder = _HOLDER.read_text(encoding="utf-8", errors="replace") if _HOLDER.is_file() else "another process"
    return f"{holder} is already working in this folder"
