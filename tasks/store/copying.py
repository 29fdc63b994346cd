"""Copying records and checkpoints between the folders of projects and stores."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from nasgem_core.files import written_whole
from nasgem_core.training.checkpoint import LAST, reached
from tasks.store.mirror import STEP
from tasks.store.object_store import CHECKPOINTS, RECORDS, Store
from tasks.store.record_folder import RECORDS as RECORD_FOLDER
from tasks.store.record_folder import is_whole_record

_CHECKPOINT_FOLDER = Path(".nasgem") / "checkpoints"


class ProjectStore:
    """The records and checkpoints of a project, by the names that they have in a store.

    Args:
        root: folder of the project.
    """

    def __init__(self, root: Path) -> None:
        self._records, self._checkpoints = root / RECORD_FOLDER, root / _CHECKPOINT_FOLDER

    def names(self, first: str) -> set[str]:
        """Return the names of all records or checkpoints."""
        if first == RECORDS:
            found = self._records.iterdir() if self._records.is_dir() else ()
            return {f"{RECORDS}/{path.name}" for path in found if path.is_file() and "." not in path.name}
        folders = {path.parent for path in self._checkpoints.glob(f"*/*/{LAST}")}
        return {
            "/".join((CHECKPOINTS, *folder.parts[-2:], part))
            for folder in folders
            if reached(folder).step >= 0
            for part in (LAST, STEP)
        }

    def get(self, name: str) -> bytes | None:
        """Return a record, a checkpoint or its step, None where there is none."""
        path = self._path(name)
        if path.name == STEP:
            step = reached(path.parent).step
            return str(step).encode() if step >= 0 else None
        return path.read_bytes() if path.is_file() else None

    def put(self, name: str, content: bytes) -> None:
        """Write a record or checkpoint, whole or not at all; a step is in its checkpoint."""
        path = self._path(name)
        if path.name != STEP:
            with written_whole(path) as file:
                file.write(content)

    def _path(self, name: str) -> Path:
        first, *rest = name.split("/")
        folder = self._records if first == RECORDS else self._checkpoints
        if len(rest) != (1 if first == RECORDS else 3) or {"", ".", ".."} & set(rest):
            raise ValueError(f"{name!r} is not the name of a record or checkpoint")
        return folder.joinpath(*rest)


@dataclass
class Copied:
    """What a copy did: how many objects were copied, and which are damaged and stayed."""

    count: int = 0
    damaged: list[str] = field(default_factory=list)


def missing_in(target: Store, source: Store) -> list[str]:
    """Return the names of the records that a target lacks, and of the checkpoints of later steps than its own."""
    wanted = sorted(source.names(RECORDS) - target.names(RECORDS))
    for step in sorted(name for name in source.names(CHECKPOINTS) if name.endswith(f"/{STEP}")):
        if _number(source.get(step)) > _number(target.get(step)):
            wanted += [f"{step.removesuffix(STEP)}{LAST}", step]
    return wanted


def copy_objects(source: Store, target: Store, names: list[str], on_copied: Callable[[int], None]) -> Copied:
    """Copy objects in the order of their names.

    Args:
        source: where from.
        target: where to.
        names: which ones.
        on_copied: called with the number of objects that are done.
    """
    copied = Copied()
    for done, name in enumerate(names, 1):
        content = source.get(name)
        if content is None or (name.startswith(f"{RECORDS}/") and not is_whole_record(name.split("/")[-1], content)):
            copied.damaged.append(name)
        else:
            target.put(name, content)
            copied.count += 1
        on_copied(done)
    return copied


def _number(step: bytes | None) -> int:
    return int(step) if step else -1
