"""The password of this folder's Prefect server, in a file that only its owner can read."""

import os
import re
import secrets
import stat
from contextlib import suppress

from flows.runtime.environment import STATE
from nasgem_core.errors import NasgemError

SECRET_FILE = STATE / "prefect" / "auth"
"""Holds user and password as Prefect's basic authentication takes them, `nasgem:` and 43 random characters."""

_SECRET = re.compile(r"[^\s:]+:\S{16,}")


def new_secret() -> str:
    """Return a user and a random password."""
    return f"nasgem:{secrets.token_urlsafe(32)}"


def kept_secret() -> str:
    """Return the user and password in the file, which is made where there is none.

    Raises:
        NasgemError: another user owns the file, or can read it; or it holds something else.
    """
    SECRET_FILE.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(SECRET_FILE):
        _make()
    try:
        descriptor = os.open(SECRET_FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise _refusal(f"cannot be read ({error.strerror})") from None
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise _refusal("is not a file that its owner alone can read and write")
        content = file.read(4096).decode("ascii", "replace").strip()
    if not _SECRET.fullmatch(content):
        raise _refusal("does not hold USER:PASSWORD with a password of at least 16 characters")
    return content


def _make() -> None:
    """Write the file under another name and link it, so that it is whole, and one of two processes has made it."""
    temporary = SECRET_FILE.with_name(f".{SECRET_FILE.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(f"{new_secret()}\n")
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(temporary, SECRET_FILE)
    finally:
        temporary.unlink()


def _refusal(reason: str) -> NasgemError:
    return NasgemError(f"{SECRET_FILE} {reason}: delete it, and `nasgem serve` makes another password")
