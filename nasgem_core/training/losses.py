"""Losses of the steps between two reports, and the end of a training whose losses or weights are not finite."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from nasgem_core.errors import NasgemError
from nasgem_core.training.checkpoint import LAST
from nasgem_core.training.distributed import World

_NAMED = 8


class LossMeter:
    """Sums up the losses of all processes.

    Args:
        world: this process among those that train together.
        folder: where the checkpoints are, for messages.
    """

    def __init__(self, world: World, folder: Path) -> None:
        self._world, self._folder = world, folder
        self.sums: dict[str, float] = {}
        self.steps = self.images = 0
        self._last: tuple[str, list[str]] = ("the beginning", [])

    def add(self, parts: Mapping[str, Tensor], names: Sequence[str], place: str) -> None:
        """Add a step.

        Args:
            parts: its mean losses by name on this process, the whole loss first.
            names: images of the step on this process.
            place: epoch and step, in words.

        Raises:
            NasgemError: on every process, if a loss is not finite on one; it names the images of that one.
        """
        self._last = place, list(names)
        local = torch.stack(list(parts.values())).tolist()
        values = [value / self._world.size for value in self._world.sum(local)]
        if not all(map(math.isfinite, values)):
            found = self._world.gather((local, list(names)))
            culprits = [(losses, images) for losses, images in found if not all(map(math.isfinite, losses))]
            images = [name for _, own in culprits for name in own]
            raise self._stop(f"the loss was {culprits[0][0][0]} in {place}", images)
        for name, value in zip(parts, values, strict=True):
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.steps += 1
        self.images += len(names) * self._world.size

    def require_finite(self, model: nn.Module) -> None:
        """Raise `NasgemError` if a step has left weights that are not finite, as a finite loss may do."""
        sound = [parameter.isfinite().all() for parameter in model.parameters()]
        if sound and not torch.stack(sound).all():
            place, names = self._last
            raise self._stop(f"the weights were not finite after {place}, or a step before it", names)

    def means(self) -> dict[str, float]:
        """Return the mean losses since `clear`."""
        return {name: value / self.steps for name, value in self.sums.items()}

    def clear(self) -> None:
        """Begin anew."""
        self.sums, self.steps, self.images = {}, 0, 0

    def _stop(self, what: str, images: Sequence[str]) -> NasgemError:
        more = f" and {len(images) - _NAMED} more" if len(images) > _NAMED else ""
        there = (self._folder / LAST).exists()
        kept = f"the last checkpoint stays in {self._folder}" if there else "no checkpoint was written so far"
        return NasgemError(
            f"{what}, with the images {', '.join(images[:_NAMED])}{more}: lower the learning rate or look at these "
            f"images; {kept}"
        )
