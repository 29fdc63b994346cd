"""Folders that belong to one user alone: what is in the state folder is run as code, or decides what is run.

DVC's cache of hashes and Numba's compiled functions are read with pickle, so whoever can write there can run code as
the user who reads it.
"""

import os
import shutil
import stat
from pathlib import Path

from nasgem_core.errors import NasgemError

_OWNER_ONLY = 0o700
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def make_private(folder: Path) -> None:
    """Create a folder, or take the one that is there, so that nobody but its owner can look into it.

    Raises:
        NasgemError: it belongs to another user, or others could write into it until now.
        OSError: it cannot be created or changed.
    """
    folder.mkdir(mode=_OWNER_ONLY, exist_ok=True)
    found = folder.stat()
    if found.st_uid != os.geteuid():
        raise NasgemError(
            f"{folder.absolute()} belongs to user {_name_of(found.st_uid)}, who could change what is run from it: work "
            "in a folder of your own, or move that one away"
        )
    if found.st_mode & _OTHERS_WRITE:
        raise NasgemError(
            f"{folder.absolute()} can be written by other users, and what is in it is run as you: move it away, or, if "
            f"nobody else has written there, run `chmod -R go-rwx {folder}`"
        )
    if stat.S_IMODE(found.st_mode) != _OWNER_ONLY:
        folder.chmod(_OWNER_ONLY)


def make_private_cache(folder: Path) -> None:
    """Do the same with a cache: one that others could write into is deleted, which costs some seconds of work."""
    if folder.is_dir() and folder.stat().st_mode & _OTHERS_WRITE and not folder.is_symlink():
        shutil.rmtree(folder)
    make_private(folder)


def _name_of(user: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
