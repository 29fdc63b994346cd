"""Which file system is full: an error names a file at most, and what libraries raise says only that there is one."""

import os
from pathlib import Path

from flows.runtime.environment import STATE

_LITTLE = 2**26
"""Bytes: a disk that has less may have been full until what was being written was removed."""
_SHARED = Path("/dev/shm")


def where_to_free(written: object = None) -> str:
    """Return the file system of a file and what is left there, as words such as ` at /home (1.2 MB left)`.

    Args:
        written: the path of the file, as an `OSError` has it; where it has none, every file system that a command
            writes to and that is nearly full is named.
    """
    try:
        if isinstance(written, str | os.PathLike):
            return f" at {_words(mount_point(Path(written)))}"
        full = [place for place in dict.fromkeys(map(mount_point, _written())) if _is_nearly_full(place)]
    except OSError:  # a disk has gone meanwhile
        return ""
    return f" at {' or '.join(map(_words, full))}" if full else ""


def mount_point(path: Path) -> Path:
    """Return where the file system of a file, or of the next folder above it that exists, is mounted."""
    path = Path(os.path.realpath(path))
    return next((place for place in (path, *path.parents) if os.path.ismount(place)), Path(path.anchor))


def temporary_folder() -> Path:
    """Return the folder for temporary files that is asked for, whether or not it can be used."""
    return Path(os.environ.get("TMPDIR") or "/tmp")


def _written() -> list[Path]:
    """Return the folders that commands write to; any of them may be on a disk of its own."""
    above = [Path(), STATE, STATE / "prefect", Path("data"), Path(".dvc")]
    inside = [path for folder in above[1:] if folder.is_dir() for path in sorted(folder.iterdir()) if path.is_dir()]
    return [*above, *inside, temporary_folder(), _SHARED]


def _is_nearly_full(place: Path) -> bool:
    left = os.statvfs(place)
    return left.f_bavail * left.f_frsize < _LITTLE or (left.f_files > 0 and not left.f_favail)


def _words(place: Path) -> str:
    left = os.statvfs(place)
    if left.f_files > 0 and not left.f_favail:
        return f"{place} (no more files fit)"
    return f"{place} ({left.f_bavail * left.f_frsize / 1e6:,.1f} MB left)"
