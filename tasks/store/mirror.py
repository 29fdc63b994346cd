"""What the folder `.nasgem` and the store exchange: a record or checkpoint that one lacks comes from the other.

A store that fails during a search does not stop it: what is finished is in the folder, and a later command sends it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nasgem_core.errors import NasgemError
from nasgem_core.files import written_whole
from nasgem_core.training.checkpoint import LAST, reached
from tasks.store.object_store import CHECKPOINTS, RECORDS, ObjectStore, known_names, object_store

STEP = "step"
"""Object that says how far the checkpoint next to it is."""
_GIVEN_UP: set[str] = set()
"""Addresses of stores that failed in this process."""
_GIVING_UP = threading.Lock()
_TELL: list[Callable[[str], None]] = []


def tell_failures(tell: Callable[[str], None]) -> None:
    """Have a function called with a sentence when a store fails for the first time; it takes the place of another."""
    _TELL[:] = [tell]


@contextmanager
def _store() -> Iterator[ObjectStore | None]:
    """Provide the store, None without one or after it has failed; its failures are said once and end the block."""
    store = object_store()
    if store is None or store.address in _GIVEN_UP:
        yield None
        return
    try:
        yield store
    except NasgemError as error:
        with _GIVING_UP:  # several threads may find out at the same time
            known = store.address in _GIVEN_UP
            _GIVEN_UP.add(store.address)
        for tell in () if known else _TELL:
            tell(f"{error}. The work goes on without it: what it lacks is sent by the next command that needs it")


def fetch_record(path: Path) -> None:
    """Bring a record into the folder where it is missing there and in the store."""
    name = f"{RECORDS}/{path.name}"
    with _store() as store:
        if store is None or path.exists() or name not in known_names(RECORDS):
            return
        content = store.get(name)
        if content is not None:
            with written_whole(path) as file:
                file.write(content)


def send_record(path: Path) -> None:
    """Copy a record of the folder into the store."""
    with _store() as store:
        if store is not None:
            store.put(f"{RECORDS}/{path.name}", path.read_bytes())
            known_names(RECORDS).add(f"{RECORDS}/{path.name}")


def send_missing_record(path: Path) -> None:
    """Copy a record into the store that was written while there was none, or while it did not answer."""
    with _store() as store:
        missing = store is not None and f"{RECORDS}/{path.name}" not in known_names(RECORDS)
    if missing:
        send_record(path)


def fetch_checkpoints(folder: Path) -> None:
    """Bring the store's checkpoint of a training into its folder if it is of a later step."""
    with _store() as store:
        if store is None:
            return
        name = _name(folder)
        step = store.get(f"{name}/{STEP}")
        if step is None or int(step) <= reached(folder).step:
            return
        content = store.get(f"{name}/{LAST}")
        if content is not None:
            with written_whole(folder / LAST) as file:
                file.write(content)


def send_checkpoint(folder: Path) -> None:
    """Copy a training's last checkpoint into the store."""
    with _store() as store:
        if store is not None:
            name = _name(folder)
            store.put(f"{name}/{LAST}", (folder / LAST).read_bytes())
            store.put(f"{name}/{STEP}", str(reached(folder).step).encode())  # last: what it promises is there


def _name(folder: Path) -> str:
    return "/".join((CHECKPOINTS, *folder.parts[-2:]))
