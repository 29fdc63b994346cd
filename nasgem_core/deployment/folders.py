"""Folders with an exported network: written whole or not at all, and read with their faults named."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import safetensors.torch
from torch import Tensor

from nasgem_core.deployment.isolated import WEIGHTS
from nasgem_core.deployment.programs import CARD_KEY
from nasgem_core.errors import DataError

CARD_FILE = "network.json"


def write_weights(folder: Path, document: str, weights: Mapping[str, Tensor]) -> None:
    """Write a state dict as safetensors, and the document that rebuilds the network beside it and inside."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    (folder / WEIGHTS).write_bytes(safetensors.torch.save(tensors, metadata={CARD_KEY: document}))
    (folder / CARD_FILE).write_text(document.rstrip() + "\n", encoding="utf-8")


def read_weights(document: Path, weights: Path) -> tuple[bytes, dict[str, Tensor]]:
    """Return what `write_weights` wrote, the document as it lies in its file.

    Raises:
        DataError: a file is missing or damaged.
    """
    try:
        return document.read_bytes(), safetensors.torch.load_file(weights)
    except FileNotFoundError:
        missing = weights if document.is_file() else document
        raise DataError(
            f"{missing} is missing: name a folder that `nasgem export` wrote, or a stage's .safetensors "
            "that has its .json beside it"
        ) from None
    except (OSError, safetensors.SafetensorError, ValueError) as error:
        raise DataError(f"{weights.parent} holds no exported network: {error}; export it again") from None


@contextlib.contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Provide an empty folder beside `folder` that takes its place when the block ends well, and goes otherwise."""
    if folder.exists() and not (folder / CARD_FILE).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} is there and is no exported network: name another folder")
    temporary = folder.parent / f".{folder.name}.{uuid.uuid4().hex}"
    temporary.mkdir(parents=True)
    try:
        yield temporary
        for path in temporary.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        earlier = folder.parent / f".{folder.name}.{uuid.uuid4().hex}.old"
        if folder.exists():
            folder.rename(earlier)
        temporary.rename(folder)
        shutil.rmtree(earlier, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
