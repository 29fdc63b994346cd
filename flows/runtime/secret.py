"""The password of this folder's Prefect server, in a file that only its owner can read."""

import re
import secrets

from flows.runtime.environment import STATE
from flows.runtime.private_file import make_private_file, read_private
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
    make_private_file(SECRET_FILE, lambda: f"{new_secret()}\n")
    try:
        content = read_private(SECRET_FILE).strip()
        if not _SECRET.fullmatch(content):
            raise ValueError("does not hold USER:PASSWORD with a password of at least 16 characters")
    except ValueError as error:
        raise NasgemError(f"{SECRET_FILE} {error}: delete it, and `nasgem serve` makes another password") from None
    return content
