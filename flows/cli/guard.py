"""A user's mistake, a full disk or Ctrl-C ends with one clear line and a non-zero exit, never with a traceback."""

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nasgem_core.errors import NasgemError

_DISK = {
    errno.ENOSPC: "the disk is full: free space",
    errno.EDQUOT: "the disk quota is used up: free space",
    errno.EROFS: "the disk is read-only: make it writable",
    errno.EACCES: "permission was denied: make it writable",
    errno.EPERM: "permission was denied: make it writable",
}
_INTERRUPTED = 130
_KEPT = (
    "Everything that was finished is kept (trained cells, encoders, checkpoints, stage files); run the same command "
    "again to go on"
)


@contextmanager
def guarded(stopped: str = _KEPT) -> Iterator[None]:
    """Run a command; turn what a user can fix into a message; after Ctrl-C say what is kept of its work."""
    try:
        with _answering_interrupts():
            yield
    except KeyboardInterrupt:
        _end(f"stopped. {stopped}", _INTERRUPTED)
    except NasgemError as error:
        _end(str(error), 1)
    except OSError as error:
        if error.errno not in _DISK:
            raise
        where = f" at {error.filename}" if error.filename else ""
        _end(f"{_DISK[error.errno]}{where}, and run again; finished work is kept", 1)


@contextmanager
def _answering_interrupts() -> Iterator[None]:
    """Say at the first Ctrl-C that it was heard: flows and servers take seconds to end."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # a background job of a shell, which ignores Ctrl-C
        return

    def stop(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.write(2, b"\nnasgem: stopping ...\n")  # a print may have been interrupted by this signal
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(message: str, code: int) -> None:
    print(f"nasgem: {message}", file=sys.stderr, flush=True)
    sys.exit(code)
