"""A user's mistake, a full disk or Ctrl-C ends with one clear line and a non-zero exit, never with a traceback."""

import errno
import sys
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from nasgem_core.errors import NasgemError

_DISK = {
    errno.ENOSPC: "the disk is full: free space",
    errno.EDQUOT: "the disk quota is used up: free space",
    errno.EROFS: "the disk is read-only: make it writable",
    errno.EACCES: "permission was denied: make it writable",
    errno.EPERM: "permission was denied: make it writable",
}
_INTERRUPTED = 130


@contextmanager
def guarded() -> Iterator[None]:
    """Run a command; turn what a user can mend into a message."""
    try:
        yield
    except KeyboardInterrupt:
        _end(
            "stopped. Everything that was finished is kept (trained cells, encoders, checkpoints, stage files); "
            "run the same command again to go on",
            _INTERRUPTED,
        )
    except BrokenProcessPool:
        _end("a worker was ended from outside (out of memory?): run again to go on, or use fewer --workers", 1)
    except NasgemError as error:
        _end(str(error), 1)
    except OSError as error:
        if error.errno not in _DISK:
            raise
        where = f" at {error.filename}" if error.filename else ""
        _end(f"{_DISK[error.errno]}{where}, and run again; finished work is kept", 1)


def _end(message: str, code: int) -> None:
    print(f"nasgem: {message}", file=sys.stderr, flush=True)
    sys.exit(code)
