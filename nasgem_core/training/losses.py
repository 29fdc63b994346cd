"""Losses of the steps between two reports, and errors for losses and weights that are not finite."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from nasgem_core.errors import DivergedError
from nasgem_core.training.checkpoint import LAST
from nasgem_core.training.distributed import World

_NAMED = 8
"""Images that an error names, at most."""


class LossMeter:
    """Sums the losses of all processes.

    Reading a loss waits for the device. On a GPU those of a step are read when the next step is on its way, so that the
    host is ahead of the device by one step; whoever asks for a sum waits for all.

    Args:
        world: this process among those that train together.
        folder: the folder of the checkpoints, for messages.
    """

    def __init__(self, world: World, folder: Path) -> None:
        self._world, self._folder = world, folder
        self.sums: dict[str, float] = {}
        self.steps = self.images = 0
        self._unread: tuple[list[str], Tensor] | None = None
        self._last: tuple[str, list[str]] = ("the beginning", [])

    def add(self, parts: Mapping[str, Tensor], names: Sequence[str], place: str) -> None:
        """Add the losses of a step.

        Args:
            parts: the mean losses of this process by name, the total first.
            names: the images of this process.
            place: epoch and step, in words.

        Raises:
            DivergedError: on every process, if a loss of any one is not finite; it names the images of that process. On
                a GPU it can be the loss of the step before.
        """
        self.read()
        self._last = place, list(names)
        self._unread = list(parts), torch.stack(list(parts.values()))
        if self._world.device.type == "cpu":
            self.read()

    def read(self) -> None:
        """Wait for the losses of all steps; raises `DivergedError` as `add`."""
        if self._unread is None:
            return
        (parts, losses), (place, names), self._unread = self._unread, self._last, None
        local = losses.tolist()
        values = [value / self._world.size for value in self._world.sum(local)]
        if not all(map(math.isfinite, values)):
            found = self._world.gather((local, names))
            culprits = [(losses, images) for losses, images in found if not all(map(math.isfinite, losses))]
            images = [name for _, own in culprits for name in own]
            raise self._stop(f"the loss was {culprits[0][0][0]} in {place}", images)
        for name, value in zip(parts, values, strict=True):
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.steps += 1
        self.images += len(names) * self._world.size

    def require_finite(self, model: nn.Module) -> None:
        """Raise `DivergedError` if weights are not finite, which can happen after a step with a finite loss."""
        self.read()
        sound = [parameter.isfinite().all() for parameter in model.parameters()]
        if sound and not torch.stack(sound).all():
            place, names = self._last
            raise self._stop(f"the weights were not finite after {place}, or a step before it", names)

    def means(self) -> dict[str, float]:
        """Return the mean losses since `clear`."""
        self.read()
        return {name: value / self.steps for name, value in self.sums.items()}

    def clear(self) -> None:
        """Start again from zero."""
        self.sums, self.steps, self.images = {}, 0, 0

    def _stop(self, what: str, images: Sequence[str]) -> DivergedError:
        more = f" and {len(images) - _NAMED} more" if len(images) > _NAMED else ""
        there = (self._folder / LAST).exists()
        kept = f"the last checkpoint is still in {self._folder}" if there else "no checkpoint has been written yet"
        return DivergedError(
            f"{what}, with the images {', '.join(images[:_NAMED])}{more}: lower the learning rate or check these "
            f"images; {kept}"
        )
