"""What the loop asks of whatever is trained, and what it reports."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from nasgem_core.training.distributed import World

BROKEN = "broken_images"
"""Figure of an evaluation: images that could not be read so far, by any process."""


def broken_images(history: Iterable[Mapping[str, float]]) -> int:
    """Return how many images a training could not read: a run that goes on begins to count anew."""
    return int(max((row[BROKEN] for row in history if BROKEN in row), default=0))


class TrainingTask(Protocol):
    """What is trained, on what, and how it is judged. The loop knows nothing of images, labels or boxes."""

    model: nn.Module
    """The network; the loop moves it to the device of its world."""
    equal_shapes: bool
    """Whether all batches have one shape, so that a GPU may try once which kernels are the fastest for it."""
    identity: Mapping[str, Any]
    """Plain JSON: the network's description and the data's; a checkpoint with another one is refused."""

    def steps_an_epoch(self) -> int:
        """Return the steps of the optimiser in an epoch; they do not depend on the number of processes."""

    def batches(self, epoch: int, world: World, first_step: int) -> Iterable[Any]:
        """Return this process's batches of an epoch from a step on: `accumulate` batches a step, in order.

        The order must depend on the epoch alone: a training that goes on asks for the rest of an epoch.
        """

    def loss(self, model: nn.Module, batch: Any) -> Tensor | dict[str, Tensor]:
        """Return the mean loss of a batch, or its named parts, whose sum is minimised; calls `model` as a whole."""

    def names(self, batch: Any) -> Sequence[str]:
        """Return the names of a batch's images, for messages; their number measures speed."""

    def evaluate(self, model: nn.Module, world: World) -> dict[str, float]:
        """Return the figures of a network over the whole validation set, the same on each process."""


@dataclass(frozen=True)
class Progress:
    """One report: after some steps (loss, learning_rate, images_per_second), or after an epoch (its evaluation).

    Args:
        epoch: epochs done, of `epochs`.
        step: steps done, of `steps`, over all epochs.
        metrics: figures by name.
        recorded: whether they are a row of the history; the others only show that the training goes on.
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
        model: the averaged network, or the trained one where nothing was averaged; in evaluation mode.
        history: every report as {"epoch", "step", **metrics}, those before an interruption included.
        metrics: the last evaluation.
    """

    model: nn.Module
    history: tuple[Mapping[str, float], ...]
    metrics: Mapping[str, float]
