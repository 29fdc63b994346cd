"""One search at a time in one folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from flows.runtime.environment import STATE
from nasgem_core.errors import NasgemError
from nasgem_core.files import written_whole

_HOLDER = STATE / "holder"
_lock = FileLock(STATE / "lock", timeout=0, thread_local=False)


@contextmanager
def folder_lock() -> Iterator[None]:
    """Hold the folder while the block runs; the system releases it when the process ends, however it ends.

    Blocks of one process may be nested: the outermost one holds the folder.

    Raises:
        NasgemError: another process holds it; the message names it.
    """
    STATE.mkdir(exist_ok=True)
    try:
        _lock.acquire()
    except Timeout:
        holder = _HOLDER.read_text(encoding="utf-8") if _HOLDER.is_file() else "another process"
        raise NasgemError(
            f"{holder} is already working in this folder: wait until it has finished, or use another copy"
        ) from None
    try:
        if _lock.lock_counter == 1:
            with written_whole(_HOLDER) as file:
                file.write(f"process {os.getpid()}".encode())
        yield
    finally:
        _lock.release()
