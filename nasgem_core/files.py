"""Files that are written whole or not at all, and the seal that tells what was changed in them."""

import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of `path` when the block ends well; after a crash the old one is whole.

    Raises:
        OSError: it cannot be written; what was there before stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have a file reach the disk, or the names in a folder, without which a renamed file can go with the power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sealed(document: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    """Return a document as JSON with a checksum of it and of arrays: file formats do not notice every changed byte."""
    return json.dumps({"checksum": _checksum(document, arrays), **document})


def unsealed(text: str | bytes, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return the document that `sealed` was given; raises `ValueError` where it, or an array, is another."""
    document = json.loads(text)
    if not isinstance(document, dict) or document.pop("checksum", None) != _checksum(document, arrays):
        raise ValueError("the checksum does not match")
    return document


def _checksum(document: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.blake2b(json.dumps(document).encode(), digest_size=16)
    for name in sorted(arrays):
        digest.update(f"{name}:{arrays[name].dtype.str}{arrays[name].shape};".encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()
