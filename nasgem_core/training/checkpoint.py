"""Checkpoints of a training: complete, written whole or not at all, and refused where they do not belong.

One is a file of weights (`nasgem_core.weights`): the tensors, and a document with everything else. The one before is
kept, in case the last cannot be read.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from nasgem_core.errors import DataError
from nasgem_core.files import remove_leftovers
from nasgem_core.weights import peek_document, read_weights, write_weights

SCHEMA = "nasgem.checkpoint/2"
LAST, PREVIOUS = "last.safetensors", "previous.safetensors"


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
    remove_leftovers(folder)  # checkpoints are large
    document = {
        "identity": dict(checkpoint.identity),
        "step": checkpoint.step,
        "evaluated": checkpoint.evaluated,
        "state": dict(checkpoint.state),
        "history": [dict(row) for row in checkpoint.history],
    }
    try:
        write_weights(folder / LAST, SCHEMA, checkpoint.tensors, document, keep=folder / PREVIOUS)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from None


@dataclass(frozen=True)
class Reached:
    """How far a training has come: its steps and evaluated epochs, and what it has reported."""

    step: int = -1
    evaluated: int = -1
    history: tuple[Mapping[str, float], ...] = ()


def reached(folder: Path) -> Reached:
    """Return how far the folder's last checkpoint is, from its header alone; -1 where it cannot be read."""
    try:
        document = peek_document(folder / LAST, SCHEMA)
        found = Reached(document["step"], document["evaluated"], tuple(document["history"]))
    except (DataError, FileNotFoundError, KeyError, TypeError):
        return Reached()
    return found if isinstance(found.step, int) and isinstance(found.evaluated, int) else Reached()


def load_checkpoint(
    folder: Path, identity: Mapping[str, Any], on_warning: Callable[[str], None] | None = None
) -> Checkpoint | None:
    """Return the folder's last complete checkpoint, or None where there is none.

    Args:
        folder: of the checkpoints of one training.
        identity: what is to go on.
        on_warning: called if the last checkpoint cannot be read and the one before is used.

    Raises:
        DataError: no checkpoint can be read, or it belongs to another training; the message names the difference.
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
        raise DataError(f"{reason}, and there is no other checkpoint: remove {folder} to train from the beginning")
    return None


def _read(path: Path) -> Checkpoint:
    tensors, document = read_weights(path, SCHEMA)
    return Checkpoint(tensors=tensors, **{**document, "history": tuple(document["history"])})


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
