"""Small files that say what is in big folders, for stages to depend on: nothing is copied or moved."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nasgem_core.errors import DataError
from nasgem_core.training.image_files import files_digest
from tasks.store.artifacts import DATA, read_json, write_json

REFERENCES = DATA / "references"
_SCHEMA = "nasgem.reference/1"


def reference_path(name: str) -> Path:
    """Return the file of a data set."""
    return REFERENCES / f"{name}.json"


def write_reference(name: str, folder: Path) -> Path:
    """Write the file of a data set and return its path.

    It holds the number of files that are not hidden, their size, and a digest of names, sizes and, up to 1 GiB in
    total, contents. So equal folders have equal files, wherever they are.

    Raises:
        DataError: the folder cannot be read, or is empty.
    """
    found = sorted(_files(folder))
    if not found:
        raise DataError(f"{folder} has no files: name the folder of a data set")
    names = [name for name, _ in found]
    sizes = np.array([size for _, size in found], dtype=np.int64)
    content = {
        "folder": str(folder),
        "files": len(names),
        "bytes": int(sizes.sum()),
        "digest": files_digest(folder, names, sizes),
    }
    write_json(reference_path(name), _SCHEMA, content)
    return reference_path(name)


def referred_folder(name: str) -> str:
    """Return the folder that the file of a data set is of; raises `DataError` where the file is missing or changed."""
    return str(read_json(reference_path(name), _SCHEMA)["folder"])


def refresh_references() -> list[str]:
    """Write the file of each data set again, and return the names of those whose folders have changed.

    A folder that is not there is for the stages that read it to report.

    Raises:
        DataError: a file is damaged, or a folder cannot be read.
    """
    changed = []
    for path in sorted(REFERENCES.glob("*.json")):
        before, folder = path.read_bytes(), Path(referred_folder(path.stem))
        if folder.is_dir():
            write_reference(path.stem, folder)
        if path.read_bytes() != before:
            changed.append(path.stem)
    return changed


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the files below a folder, relative to it, with their sizes."""

    def stop(error: OSError) -> None:
        raise DataError(f"{error.filename} cannot be read: {error.strerror}") from None

    seen = {os.path.realpath(folder)}
    for parent, folders, names in os.walk(folder, onerror=stop, followlinks=True):
        real = {name: os.path.realpath(os.path.join(parent, name)) for name in sorted(folders)}
        folders[:] = [name for name, path in real.items() if not name.startswith(".") and path not in seen]
        seen |= {real[name] for name in folders}  # links may lead in a circle
        for name in names:
            path = os.path.join(parent, name)
            if not name.startswith(".") and os.path.isfile(path):
                yield os.path.relpath(path, folder), os.path.getsize(path)
