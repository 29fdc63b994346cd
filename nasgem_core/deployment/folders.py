"""Folders of exported networks: written whole or not at all, and refused by name and with a remedy when damaged."""

import contextlib
import json
import shutil
import uuid
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from nasgem_core.errors import DataError
from nasgem_core.files import content_of, sync, written_whole
from nasgem_core.json_text import parse_json
from nasgem_core.weights import NETWORK, NETWORK_SCHEMA, read_weights, write_weights

CARD_FILE, WEIGHTS = "network.json", "weights.safetensors"
"""In every exported folder, whatever its forms."""


def write_network(folder: Path, document: str, weights: Mapping[str, Tensor | np.ndarray]) -> None:
    """Write a state dict as safetensors, and the document that rebuilds the network next to it and inside."""
    write_weights(folder / WEIGHTS, NETWORK_SCHEMA, weights, {NETWORK: json.loads(document)})
    with written_whole(folder / CARD_FILE) as file:
        file.write(document.rstrip().encode() + b"\n")


def read_network(document: Path, weights: Path) -> tuple[bytes, dict[str, Tensor]]:
    """Return what `write_network` or a stage wrote: the document as it is in its file, and the weights.

    Raises:
        DataError: a file is missing, damaged, changed or foreign.
    """
    try:
        content = content_of(document)
        tensors, header = read_weights(weights, NETWORK_SCHEMA)
    except FileNotFoundError:
        missing = weights if document.is_file() else document
        raise DataError(
            f"{missing} is missing: name a folder that `nasgem export` wrote, or a stage's .safetensors "
            "that has its .json next to it"
        ) from None
    except OSError as error:
        raise DataError(f"{weights.parent} cannot be read: {error}") from None
    except DataError as error:
        raise DataError(
            f"{error}: export the network again; weights that were trained elsewhere can be loaded by `build` of "
            "network.py"
        ) from None
    if _parsed(content) != header.get(NETWORK):
        raise DataError(f"{document} is not the one that was written with {weights.name}: export the network again")
    return content, tensors


def _parsed(content: bytes) -> Any:
    try:
        return parse_json(content)
    except ValueError:
        return None


@contextlib.contextmanager
def new_folder(folder: Path, form_files: Set[str] = frozenset()) -> Iterator[Path]:
    """Provide an empty folder that takes the place of `folder` when the block ends well, and is removed otherwise.

    Args:
        folder: to be replaced or made.
        form_files: names of files that an earlier export may have written next to weights and card.

    Raises:
        DataError: `folder` has a file that no export wrote, is the current one, or cannot be made.
    """
    own_files = {CARD_FILE, WEIGHTS, "__pycache__", *form_files}
    temporary = folder.parent / f".{folder.name}.{uuid.uuid4().hex}"
    try:
        if folder.exists() and not folder.is_dir():
            raise DataError(f"{folder} exists and is not a folder: name another one")
        found = {path.name for path in folder.iterdir()} if folder.exists() else set()
        foreign = sorted(found - own_files if CARD_FILE in found else found)
        if foreign:
            raise DataError(f"{folder} has {foreign[0]}, which no export wrote: move it away, or name another folder")
        if folder.resolve() == Path.cwd():
            raise DataError(f"output = {folder}: that is the current folder, which would be replaced; name another one")
        temporary.mkdir(parents=True)
    except OSError as error:
        raise DataError(f"output = {folder}: cannot make a folder there ({error.strerror}); name another one") from None
    try:
        yield temporary
        for path in temporary.iterdir():
            sync(path)
        earlier = folder.parent / f".{folder.name}.{uuid.uuid4().hex}.old"
        if folder.exists():
            folder.rename(earlier)
        temporary.rename(folder)
        shutil.rmtree(earlier, ignore_errors=True)
    except OSError as error:
        if error.filename is None:  # libraries write without naming the file in what they raise
            error.filename = str(folder)
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
