"""The interface between the training loop and what it trains, and the loop's reports."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from nasgem_core.training.distributed import World

BROKEN = "broken_images"
"""Name of the figure that counts the images that could not be read so far, over all processes."""


def broken_images(history: Iterable[Mapping[str, float]]) -> int:
    """Return how many images a training could not read: the maximum, because a resumed run counts again from zero."""
    return int(max((row[BROKEN] for row in history if BROKEN in row), default=0))


class TrainingTask(Protocol):
    """A network, its data and its evaluation. The loop knows nothing about images, labels or boxes."""

    model: nn.Module
    """The network; the loop moves it to the device of its world."""
    equal_shapes: bool
    """Whether all batches have the same shape, so that a GPU may search for the fastest kernels once."""
    identity: Mapping[str, Any]
    """Plain JSON that describes network and data; a checkpoint with another identity is rejected."""

    def steps_per_epoch(self) -> int:
        """Return the steps of the optimiser per epoch, which do not depend on the number of processes."""

    def batches(self, epoch: int, world: World, first_step: int) -> Iterable[Any]:
        """Return this process's batches from a step of an epoch on: `accumulate` batches per step, in order.

        The order must depend only on the epoch, because a resumed training asks for the rest of an epoch.
        """

    def loss(self, model: nn.Module, batch: Any) -> Tensor | dict[str, Tensor]:
        """Return the mean loss of a batch, or its named parts, whose sum is minimised.

        It must call `model` itself, not parts of it: the call synchronises the gradients of several processes.
        """

    def names(self, batch: Any) -> Sequence[str]:
        """Return the names of a batch's images, for messages; their number is used to measure speed."""

    def evaluate(self, model: nn.Module, world: World) -> dict[str, float]:
        """Return the metrics of a network on the whole validation set, the same on every process."""


@dataclass(frozen=True)
class Progress:
    """One report: after some steps (loss, learning_rate, images_per_second), or after an epoch (its evaluation).

    Args:
        epoch: epochs done, of `epochs`.
        step: steps done, of `steps`, over all epochs.
        metrics: values by name.
        recorded: whether they are a row of the history; the others only show that the training is running.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    metrics: Mapping[str, float]
    recorded: bool = True


@dataclass(frozen=True)
class Trained:
    """A finished training.

    Args:
        model: the averaged network, or the trained one if nothing was averaged; in evaluation mode.
        history: every recorded report as {"epoch", "step", **metrics}, those before an interruption included.
        metrics: the last evaluation.
    """

    model: nn.Module
    history: tuple[Mapping[str, float], ...]
    metrics: Mapping[str, float]
