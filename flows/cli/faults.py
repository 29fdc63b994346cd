"""Faults of the machine that a user can mend, found in whatever error a library has made of them."""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from flows.runtime.environment import STATE
from flows.runtime.full_disk import where_to_free
from flows.runtime.prefect_settings import server_of_user
from flows.runtime.server_log import met_file_limit
from tasks.run.masking import without_secrets
from tasks.store.unkept_record import UnkeptRecordError

_DISK = {
    errno.ENOSPC: "the disk is full: free space",
    errno.EDQUOT: "the disk quota is used up: free space",
    errno.EFBIG: "a file may not become that large here (ulimit -f): raise the limit",
    errno.EROFS: "the disk is read-only: make it writable",
    errno.EACCES: "permission was denied: make it writable",
    errno.EPERM: "permission was denied: make it writable",
    errno.ENAMETOOLONG: "a name is too long for the file system: choose a shorter one",
    errno.ELOOP: "a link leads back to itself: remove it",
}
_AGAIN = "and run again; finished work is kept"
_FULL = (
    "database or disk is full",
    "no space left on device",
    "disk quota exceeded",
    "pytorchstreamwriter failed writing",
)
"""What libraries say that pass no error number on."""
_NO_MEMORY = (
    "can't allocate memory",
    "cannot allocate memory",
    "out of memory",
    "bad_alloc",
    "failed to map segment from shared object",  # a library did not fit below `ulimit -v`
)
_NO_MEMORY_KINDS = (RuntimeError, ImportError, OSError)
_NOT_MEMORY = "operation not permitted"
"""What follows where a library may not be run from its disk."""
_NO_THREAD = "can't start new thread"
_SPACE = 2**20


def explain(error: BaseException) -> str | None:
    """Return what has happened and what to do, or nothing where the error is not one of the machine."""
    said = full_disk(error)
    if said:
        return said
    chain = list(_chain(error))
    for one in chain:
        if isinstance(one, OSError) and one.errno in _DISK:
            where = f" at {one.filename}" if one.filename else ""
            return f"{_DISK[one.errno]}{where}, {_AGAIN}"
    for one in chain:
        words = _memory_words(one)
        if words:
            return f"{words}, {_AGAIN}"
    if any(type(one).__module__.partition(".")[0] in ("httpx", "httpcore") or _is_of_prefect(one) for one in chain):
        return _server_words(error)
    return None


def full_disk(error: BaseException) -> str | None:
    """Return where to free space, or nothing where no disk is full; a message of our own may be of such an error."""
    chain = list(_chain(error))
    for one in chain:
        if isinstance(one, OSError) and one.errno == errno.ENOSPC:
            written = one.filename2 or one.filename  # of a copy the first is what is copied
            return f"{_DISK[errno.ENOSPC]}{where_to_free(written)}, {_AGAIN}"
    if any(words in str(one).lower() for one in chain for words in _FULL):
        copies = [one.args[0] for one in chain if isinstance(one, shutil.Error)]
        written = copies[0][0][1] if copies and isinstance(copies[0], list) else None
        return f"{_DISK[errno.ENOSPC]}{where_to_free(written)}, {_AGAIN}"
    return None


def _server_words(error: BaseException) -> str:
    """Return what has happened to the Prefect server, ours or that of the user."""
    address, log = server_of_user(), STATE / "prefect" / "server.log"
    if address:
        return (
            f"the Prefect server at {without_secrets(address)} failed ({_first_line(error)}): its log says why. Run "
            "again when it works; finished work is kept"
        )
    if met_file_limit(log):
        return f"{_DISK[errno.EFBIG]}, {_AGAIN}"
    return _no_space() or (
        f"the Prefect server failed ({_first_line(error)}): the end of {log} says why. Run again to go on; "
        "finished work is kept"
    )


def _memory_words(error: BaseException) -> str | None:
    """Return what has happened and helps where there was no memory for data, a library or a thread."""
    text = str(error).lower()
    said = any(words in text for words in _NO_MEMORY) and _NOT_MEMORY not in text
    if isinstance(error, MemoryError) or (isinstance(error, _NO_MEMORY_KINDS) and said):
        return "memory ran out: end other programs, use fewer --workers or smaller batches"
    if isinstance(error, RuntimeError) and _NO_THREAD in text:
        return (
            "no more threads can be started: end other programs, or raise the limits of memory and processes "
            "(ulimit -v, ulimit -u)"
        )
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Return an error, those in it, and those that it came from."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one.as_os_error() if isinstance(one, UnkeptRecordError) else one
        inner = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        waiting += [found for found in (*inner, one.__cause__, one.__context__) if found is not None]


def _is_of_prefect(error: BaseException) -> bool:
    """Whether Prefect's client could not do its work; errors of runs carry those of this package along."""
    return any(kind.__name__ in ("PrefectHTTPStatusError", "CrashedRun") for kind in type(error).__mro__)


def _no_space() -> str | None:
    """Return that the disk is full if it is: a server of Prefect says no more than that it failed."""
    probe = STATE / f"probe.{os.getpid()}"
    try:
        probe.write_bytes(bytes(_SPACE))
    except OSError as error:
        return explain(error)
    finally:
        Path(probe).unlink(missing_ok=True)
    return None


def _first_line(error: BaseException) -> str:
    lines = str(error).partition(" for url ")[0].strip().splitlines()
    return f"{type(error).__name__}: {lines[0].rstrip('.')[:200]}" if lines else type(error).__name__
