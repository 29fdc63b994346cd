"""Small files that their owner alone can read: a password, a key."""

import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_LARGEST = 1 << 16


def read_private(path: Path) -> str:
    """Return what is in a file of ASCII text.

    Raises:
        ValueError: it cannot be read, is not a file, or belongs to or is open to other users; the text says which.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from None
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise ValueError("is not a file that its owner alone can read and write")
        return file.read(_LARGEST).decode("ascii", "replace")


def make_private_file(path: Path, content: Callable[[], str]) -> None:
    """Write a file where there is none, whole and readable by its owner alone; one of two processes makes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(path):
        return
    # Under another name first, and linked, so that it is never seen half written.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(content())
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()
