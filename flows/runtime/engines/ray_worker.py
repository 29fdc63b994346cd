"""What every Ray worker does when it is first used: it takes a number among those of its machine, and keeps quiet."""

import fcntl
import os
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import IO, Any

from flows.runtime.environment import STATE
from tasks.run.placement import SLOT

_HELD: list[IO[bytes]] = []
"""The lock of this process, which the system takes back when it ends, however it ends."""


def on_worker(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a worker that is set up."""
    _set_up()
    return function(*arguments)


@cache
def _set_up() -> None:
    warnings.simplefilter("ignore")
    os.environ[SLOT] = str(_own_number(STATE / "ray"))


def _own_number(folder: Path) -> int:
    """Return the lowest number that no other process of this folder has."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = 0
    while True:
        file = (folder / str(number)).open("wb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            number += 1
        else:
            _HELD.append(file)
            return number
