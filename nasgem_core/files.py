"""Files that are written whole or not at all."""

import errno
import os
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_OF_A_WRITE = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS))


@contextmanager
def written_whole(path: Path, *, keep: Path | None = None) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of `path` when the block ends well; after a crash the old one is whole.

    Args:
        path: the file.
        keep: where the old file stays, if there is one; nowhere by default.

    Raises:
        OSError: it cannot be written; what was there before stays. The error of a full disk names the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if keep is not None and path.exists():
            path.replace(keep)
        temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        if error.errno in _OF_A_WRITE and error.filename is None:
            error.filename = str(path)
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def content_of(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        FileNotFoundError: there is none; pipes and devices count as none, as one would be waited for or has no end.
        OSError: it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        kind = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(kind):
            number = errno.EISDIR if stat.S_ISDIR(kind) else errno.ENOENT
            raise OSError(number, "it is not a regular file", str(path))
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def remove_leftovers(folder: Path, seconds: float = 0.0) -> None:
    """Remove what killed processes left of `written_whole` in a folder at least so many seconds ago."""
    for path in folder.glob(".*.tmp"):
        with suppress(FileNotFoundError):  # written whole in the meantime
            if time.time() - path.stat().st_mtime >= seconds:
                path.unlink()


def sync(path: Path) -> None:
    """Make sure that a file is on the disk, or that the names in a folder are: else a power cut undoes a renaming."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
