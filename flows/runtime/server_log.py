"""What the log of our own Prefect server says of its end."""

import resource
from pathlib import Path

_END = 5_000
"""Characters in which to look for what ended it."""
_FAILED_WRITE = "disk i/o error"
"""What SQLite says at the limit of `ulimit -f`, and of damaged disks."""


def end_of_log(log: Path) -> str:
    """Return the end of a log in small letters, nothing where there is none."""
    return log.read_text(encoding="utf-8", errors="replace")[-_END:].lower() if log.is_file() else ""


def met_file_limit(log: Path) -> bool:
    """Whether the server could not write any more, while files may not grow beyond a limit (`ulimit -f`) here."""
    limited = resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY
    return limited and _FAILED_WRITE in end_of_log(log)
