"""One search at a time in one folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from flows.runtime.environment import STATE
from nasgem_core.errors import NasgemError

_LOCK_FILE = STATE / "lock"
_held: list[bool] = []


@contextmanager
def folder_lock() -> Iterator[None]:
    """Hold the folder while the block runs; the system gives it back when the process ends, however it ends.

    Blocks of one process may stand inside each other: the outermost holds.

    Raises:
        NasgemError: another process holds it; the message names it.
    """
    if _held:
        yield
        return
    STATE.mkdir(exist_ok=True)
    with _LOCK_FILE.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise NasgemError(
                f"{holder} is already working in this folder: wait until it has finished, or use another copy"
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        _held.append(True)
        try:
            yield
        finally:
            _held.clear()
