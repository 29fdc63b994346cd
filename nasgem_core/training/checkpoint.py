"""Checkpoints of a training: complete, written whole or not at all, and refused where they do not belong.

One is a safetensors file: the tensors, and in its header a JSON document with everything else and a checksum of all.
Nothing in it is code. The one before is kept, in case the last cannot be read.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, uint8

from nasgem_core.errors import DataError
from nasgem_core.files import sync

SCHEMA = "nasgem.checkpoint/1"
LAST, PREVIOUS = "last.safetensors", "previous.safetensors"
_HEADER = "nasgem"


@dataclass(frozen=True)
class Checkpoint:
    """All that a training needs to go on, besides its network's description and its data.

    Args:
        identity: what is trained and how; plain JSON. A training goes on from a checkpoint of its own identity only.
        step: steps of the optimiser that are done, over all epochs.
        evaluated: epochs that are done, evaluation included.
        tensors: weights, averaged weights, and the optimiser's state.
        state: plain values, such as the optimiser's counts and the scale of gradients.
        history: what was reported so far, in order.
    """

    identity: Mapping[str, Any]
    step: int
    evaluated: int
    tensors: Mapping[str, Tensor]
    state: Mapping[str, Any]
    history: tuple[Mapping[str, float], ...]


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; at any moment of a crash, the folder holds a complete one if it held one before."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(".*.tmp"):
        left.unlink()
    # Copies, because the format takes neither shared nor strided memory.
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in checkpoint.tensors.items()}
    document = {
        "schema": SCHEMA,
        "identity": dict(checkpoint.identity),
        "step": checkpoint.step,
        "evaluated": checkpoint.evaluated,
        "state": dict(checkpoint.state),
        "history": [dict(row) for row in checkpoint.history],
    }
    text = json.dumps({"checksum": _checksum(document, tensors), **document})
    content = safetensors.torch.save(tensors, metadata={_HEADER: text})
    temporary = folder / f".{LAST}.{os.getpid()}.tmp"
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        temporary.unlink(missing_ok=True)  # on a full disk its part would be in the way
        raise OSError(error.errno, error.strerror, str(folder)) from None
    if (folder / LAST).exists():
        (folder / LAST).replace(folder / PREVIOUS)
    temporary.replace(folder / LAST)
    sync(folder)


def load_checkpoint(
    folder: Path, identity: Mapping[str, Any], on_warning: Callable[[str], None] | None = None
) -> Checkpoint | None:
    """Return the folder's last complete checkpoint, or None where there is none.

    Args:
        folder: where checkpoints of one training lie.
        identity: what is to go on.
        on_warning: told if the last checkpoint cannot be read and the one before is used.

    Raises:
        DataError: no checkpoint can be read, or it is one of another training; the message names the difference.
    """
    reason = None
    for name in (LAST, PREVIOUS):
        path = folder / name
        if not path.is_file():
            continue
        try:
            checkpoint = _read(path)
        except DataError as error:
            reason = reason or str(error)
            continue
        _require_same(path, checkpoint.identity, json.loads(json.dumps(dict(identity))))
        if reason and on_warning is not None:
            on_warning(f"{reason}; going on from {path.name}, step {checkpoint.step}")
        return checkpoint
    if reason:
        raise DataError(f"{reason}, and no other checkpoint is there: remove {folder} to train from the beginning")
    return None


def _read(path: Path) -> Checkpoint:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            document = json.loads((file.metadata() or {})[_HEADER])
        checksum = document.pop("checksum")
        schema = document.pop("schema")
        if schema != SCHEMA:
            raise DataError(f"{path} says it is {schema!r}, not {SCHEMA}")
        if checksum != _checksum({"schema": schema, **document}, tensors):
            raise DataError(f"{path} is corrupt: its checksum does not match")
        return Checkpoint(tensors=tensors, **{**document, "history": tuple(document["history"])})
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is truncated or no checkpoint ({str(error) or type(error).__name__})") from None


def _require_same(path: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    difference = _first_difference(found, wanted)
    if difference:
        raise DataError(
            f"{path} is a checkpoint of another training: {difference}. "
            f"Remove {path.parent}, or move it away, to train from the beginning"
        )


def _first_difference(found: Any, wanted: Any, name: str = "") -> str:
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        for key in [*wanted, *(key for key in found if key not in wanted)]:
            text = _first_difference(found.get(key), wanted.get(key), f"{name}.{key}" if name else key)
            if text:
                return text
        return ""
    if found == wanted:
        return ""
    return f"{name} is {_shown(found)} there and {_shown(wanted)} here"


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _checksum(document: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.blake2b(json.dumps(document).encode(), digest_size=16)
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}:{tensor.dtype}{tuple(tensor.shape)};".encode())
        digest.update(tensor.reshape(-1).view(uint8).numpy().data)
    return digest.hexdigest()
