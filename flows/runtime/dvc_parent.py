"""A stage of `dvc repro` ends with it: what a killed `dvc` leaves behind would hold the folder against the next one.

Called before anything that takes time is imported, because `dvc` may be killed at the moment when it starts a stage.
"""

import os
from pathlib import Path

from flows.runtime.processes import follow, parent_of

_MARK = "DVC_STAGE"
"""DVC sets this variable for the command of a stage."""


def follow_dvc() -> None:
    """End this process as soon as the `dvc` that runs it as a stage is gone, also if it is gone already."""
    if _MARK not in os.environ:
        return
    dvc = _first_unmarked(os.getppid())
    if _is_foreign(dvc):
        os._exit(1)
    follow(dvc)


def _first_unmarked(process: int) -> int:
    """Return the closest ancestor that is not part of the stage: a shell may run its command."""
    try:
        while f"\0{_MARK}=".encode() in b"\0" + Path(f"/proc/{process}/environ").read_bytes():
            process = parent_of(process)
    except OSError:  # it has ended, is of another user, or there is no /proc here
        pass
    return process


def _is_foreign(process: int) -> bool:
    """Whether a process is the one that adopts orphans, and not `dvc`, whose process group its stages share."""
    own = os.getpid()
    if os.getsid(0) == own:
        return False
    try:
        if process == 1 and not any(name in Path("/proc/1/cmdline").read_bytes() for name in (b"python", b"dvc")):
            return True  # of a container, where the processes of a script share its group
        return os.getpgid(process) != os.getpgid(own)
    except OSError:  # it has ended, or may not be asked
        return True
