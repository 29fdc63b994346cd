"""Folders with an exported network: written whole or not at all, and read with their faults named."""

import contextlib
import json
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
from safetensors import safe_open
from torch import Tensor

from nasgem_core.deployment.isolated import ONNX, PYTHON, TORCH, WEIGHTS
from nasgem_core.errors import DataError
from nasgem_core.files import sealed, sync, unsealed

CARD_FILE = "network.json"
_OWN_FILES = {CARD_FILE, PYTHON, TORCH, ONNX, WEIGHTS, "__pycache__"}
_SCHEMA, _HEADER = "nasgem.exported/1", "nasgem"
"""The files of the stages have such a header too."""


def write_weights(folder: Path, document: str, weights: Mapping[str, Tensor]) -> None:
    """Write a state dict as safetensors, and the document that rebuilds the network beside it and inside."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    header = sealed({"schema": _SCHEMA, "network": json.loads(document)}, _arrays(tensors))
    (folder / WEIGHTS).write_bytes(safetensors.torch.save(tensors, metadata={_HEADER: header}))
    (folder / CARD_FILE).write_text(document.rstrip() + "\n", encoding="utf-8")


def read_weights(document: Path, weights: Path) -> tuple[bytes, dict[str, Tensor]]:
    """Return what `write_weights` wrote, the document as it lies in its file.

    Raises:
        DataError: a file is missing, damaged or changed.
    """
    try:
        content = document.read_bytes()
        with safe_open(weights, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            header = (file.metadata() or {}).get(_HEADER)
        if header is None:
            raise _Changed("it lacks the header with its checksum")
        try:
            written = unsealed(header, _arrays(tensors))
        except ValueError as error:
            raise _Changed(str(error)) from None
        if _parsed(content) not in written.values():
            raise ValueError(f"{document.name} is not the one that was written with {weights.name}")
        return content, tensors
    except FileNotFoundError:
        missing = weights if document.is_file() else document
        raise DataError(
            f"{missing} is missing: name a folder that `nasgem export` wrote, or a stage's .safetensors "
            "that has its .json beside it"
        ) from None
    except _Changed as error:
        raise DataError(
            f"{weights} was changed or damaged after nasgem wrote it ({error}): export the network again; weights that "
            f"were trained elsewhere can be loaded by `build` of {PYTHON}"
        ) from None
    except (OSError, safetensors.SafetensorError, ValueError) as error:
        raise DataError(f"{weights.parent} holds no exported network: {error}; export it again") from None


class _Changed(Exception):
    """Weights are not those that were written."""


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


@contextlib.contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Provide an empty folder beside `folder` that takes its place when the block ends well, and goes otherwise.

    Raises:
        DataError: `folder` holds what no export has written, is the current one, or cannot be made.
    """
    temporary = folder.parent / f".{folder.name}.{uuid.uuid4().hex}"
    try:
        if folder.exists() and not folder.is_dir():
            raise DataError(f"{folder} is there and is no folder: name another one")
        found = {path.name for path in folder.iterdir()} if folder.exists() else set()
        foreign = sorted(found - _OWN_FILES if CARD_FILE in found else found)
        if foreign:
            raise DataError(f"{folder} holds {foreign[0]}, which is of no export: move it away, or name another folder")
        if folder.resolve() == Path.cwd():
            raise DataError(f"output = {folder}: that is the current folder, which would be replaced; name another one")
        temporary.mkdir(parents=True)
    except OSError as error:
        raise DataError(f"output = {folder}: no folder can be made there ({error.strerror}); name another") from None
    try:
        yield temporary
        for path in temporary.iterdir():
            sync(path)
        earlier = folder.parent / f".{folder.name}.{uuid.uuid4().hex}.old"
        if folder.exists():
            folder.rename(earlier)
        temporary.rename(folder)
        shutil.rmtree(earlier, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
