"""A long training as a worker does it: it leaves a checkpoint of its end, from which a stage reads everything."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from nasgem_core.errors import DeviceMemoryError
from nasgem_core.training.checkpoint import LAST, Reached, reached
from nasgem_core.training.execution import lacks_memory, release_memory

T = TypeVar("T")


@dataclass(frozen=True)
class WorkerTraining:
    """A training that a worker can do.

    Args:
        name: of the training.
        folder: of its checkpoints, the same for whoever does it.
        epochs: that it is long.
        steps: that these have.
        inputs: of its task, but for `returned`.
        only_here: whether it needs files that workers with another folder do not have.
    """

    name: str
    folder: Path
    epochs: int
    steps: int
    inputs: Mapping[str, Any]
    only_here: bool = False

    @property
    def is_finished(self) -> bool:
        """Whether there is a checkpoint of its end."""
        return reached(self.folder).evaluated >= self.epochs


def reached_in(folders: Sequence[str]) -> list[Reached]:
    """Return how far the last checkpoints of some folders of this machine are."""
    return [reached(Path(folder)) for folder in folders]


def last_checkpoint(folder: Path) -> dict[str, Any]:
    """Return a training's last checkpoint as the `checkpoint` of a plain value: [N] uint8, None where there is none."""
    path = folder / LAST
    return {"checkpoint": np.frombuffer(path.read_bytes(), np.uint8) if path.is_file() else None}


def train_alone(device: torch.device, name: str, section: str, train: Callable[[], T]) -> T:
    """Do a training on one core or one device; returns what it returns.

    Args:
        device: on which it trains.
        name: of the training, for a message.
        section: of params.yaml that says how much memory it needs.
        train: does it.

    Raises:
        DeviceMemoryError: the device has too little memory.
    """
    torch.set_num_threads(1)  # one training per core, and equal bits however many run at once
    try:
        # Whatever does not say where it works, such as readers that pin memory, works on the first GPU otherwise.
        with torch.cuda.device(device) if device.type == "cuda" else nullcontext():
            return train()
    except RuntimeError as error:
        if not lacks_memory(error):
            raise
        # An error raised here would keep alive what has to be freed.
    finally:
        release_memory(device)
    raise DeviceMemoryError(
        f"{device} has too little memory left for {name}: lower {section}.batch_size, or the number of --workers"
    )
