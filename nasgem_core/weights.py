"""The file that holds a network's weights: safetensors, whose header has a document and a checksum of everything.

Trained networks, exports, predictors and checkpoints are all kept in this form. Nothing in it is code, and each file
names its schema, so a foreign one is refused.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from safetensors import safe_open
from torch import Tensor

from nasgem_core.checksums import sealed, unsealed
from nasgem_core.errors import DataError
from nasgem_core.files import written_whole

NETWORK_SCHEMA = "nasgem.weights/2"
"""Weights of a trained network, whose document has under `NETWORK` what rebuilds it; in stages' files and exports."""
NETWORK = "network"
_HEADER, _SCHEMA = "nasgem", "schema"


def write_weights(
    path: Path,
    schema: str,
    weights: Mapping[str, Tensor | np.ndarray],
    document: Mapping[str, Any],
    *,
    keep: Path | None = None,
) -> None:
    """Write weights and a document, whole or not at all; equal content gives equal bytes.

    Args:
        path: where to.
        schema: what the file is, such as `nasgem.weights/2`.
        weights: by name, on any device and in any memory layout.
        document: plain JSON, without a field "schema".
        keep: where the file that was at `path` before stays.

    Raises:
        OSError: it cannot be written; what was there before stays.
    """
    tensors = {name: _tensor(value) for name, value in weights.items()}
    # One entry, because safetensors writes several in an order that changes from call to call.
    header = {_HEADER: sealed({_SCHEMA: schema, **document}, _arrays(tensors))}
    with written_whole(path, keep=keep) as file:
        file.write(safetensors.torch.save(tensors, metadata=header))


def read_weights(path: Path, schema: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the weights and the document that `write_weights` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        DataError: it is damaged, changed, foreign or of another schema. The message names the file and the fault;
            the caller adds the remedy.
    """
    tensors, header = _read(path, schema, with_weights=True)
    try:
        document = unsealed(header, _arrays(tensors))
    except ValueError as error:
        raise _foreign(path, schema, f"it was changed or damaged: {error}") from None
    del document[_SCHEMA]
    return tensors, document


def peek_document(path: Path, schema: str) -> dict[str, Any]:
    """Return the document of a file without its weights, so without a check of either.

    Raises:
        FileNotFoundError: there is no such file.
        DataError: it is foreign or of another schema.
    """
    document: dict[str, Any] = json.loads(_read(path, schema, with_weights=False)[1])
    return document


def _read(path: Path, schema: str, *, with_weights: bool) -> tuple[dict[str, Tensor], str]:
    """Return the weights, if they are asked for, and the header of a file of a schema."""
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys()) if with_weights else []
            tensors = {name: file.get_tensor(name) for name in names}
            header: str = (file.metadata() or {})[_HEADER]
        found = json.loads(header)[_SCHEMA]
    except Exception:  # on foreign bytes a parser raises anything
        raise _foreign(path, schema, "it is truncated, corrupt or another file") from None
    if found != schema:
        raise _foreign(path, schema, f"it says {found!r}")
    return tensors, header


def _foreign(path: Path, schema: str, fault: str) -> DataError:
    return DataError(f"{path} is not a {schema} file ({fault})")


def _tensor(value: Tensor | np.ndarray) -> Tensor:
    """Return a copy of its own, contiguous: the format takes neither shared nor strided memory."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.array(value, order="C"))
    return value.detach().cpu().contiguous().clone()


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Return tensors as arrays that share their memory; NumPy knows no bfloat16, whose bits are shown instead."""
    return {
        name: (tensor.view(torch.uint16) if tensor.dtype is torch.bfloat16 else tensor).numpy()
        for name, tensor in tensors.items()
    }
