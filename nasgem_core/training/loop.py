"""The loop that trains any network: steps, averaging, evaluation, reports, and checkpoints to go on from.

A training is a pure function of its task, recipe and seed: data order and augmentation depend on the seed, the epoch
and the image, and whatever layers draw (dropout, a detector's choice of anchors) on the seed, the step and the
process. So a training that was killed at any step goes on to the weights of an undisturbed one, and a checkpoint
needs no states of random generators.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from nasgem_core.errors import DataError, NasgemError, ParameterError
from nasgem_core.training.averaging import WeightAverage
from nasgem_core.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from nasgem_core.training.distributed import World
from nasgem_core.training.execution import Precision, execution, seed_generators
from nasgem_core.training.optimiser_state import pack_optimiser, unpack_optimiser
from nasgem_core.training.optimisers import make_optimiser
from nasgem_core.training.recipe import TrainingRecipe
from nasgem_core.training.schedules import learning_rate


class TrainingTask(Protocol):
    """What is trained, on what, and how it is judged. The loop knows nothing of images, labels or boxes."""

    model: nn.Module
    """The network; the loop moves it to the device of its world."""
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
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    metrics: Mapping[str, float]


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


def train(
    task: TrainingTask,
    recipe: TrainingRecipe,
    folder: Path,
    *,
    seed: int,
    world: World | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> Trained:
    """Train a task to the end, from the folder's last checkpoint if it has one.

    Args:
        task: the network and its data.
        recipe: how.
        folder: checkpoints of this training and no other; process 0 writes them.
        seed: root of what layers draw in training.
        world: this process among several, and its device; this one alone on the CPU by default.
        on_progress: called on process 0 with each report.
        on_warning: called on process 0 where an unreadable checkpoint was passed over.

    Raises:
        NasgemError: the loss is not finite; the message names epoch, step and images, and the last checkpoint stays.
        DataError: the folder's checkpoint is one of another training, or cannot be read.
        ParameterError: an epoch has no whole step, or the recipe asks for what the device cannot do.
    """
    world = world or World()
    with execution(world, recipe.deterministic):
        loop = _Loop(task, recipe, folder, seed, world, on_progress or (lambda _: None))
        loop.resume(on_warning)
        world.wait()  # nobody writes a checkpoint before all have read one
        return loop.run()


class _Loop:
    """State of one training between two steps."""

    def __init__(
        self,
        task: TrainingTask,
        recipe: TrainingRecipe,
        folder: Path,
        seed: int,
        world: World,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.task, self.recipe, self.folder, self.seed, self.world = task, recipe, folder, seed, world
        self.on_progress = on_progress
        self.steps = task.steps_an_epoch()
        if self.steps < 1:
            raise ParameterError("batch_size is larger than the data set: an epoch has no whole step; lower it")
        self.precision = Precision(recipe.precision, world.device)
        layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
        self.model = task.model.to(device=world.device).to(memory_format=layout)
        self.average = WeightAverage(self.model, recipe.averaging) if recipe.averaging else None
        self.optimiser = make_optimiser(self.model, recipe)
        self.parallel = world.parallel(self.model, recipe.synchronise_statistics)
        self.step = self.evaluated = 0
        self.history: list[Mapping[str, float]] = []
        self.sums: dict[str, float] = {}
        self.images, self.reported_at = 0, time.perf_counter()
        self.saved_at = time.monotonic()

    @property
    def identity(self) -> dict[str, Any]:
        """What a checkpoint must be of."""
        return {"task": dict(self.task.identity), "recipe": self.recipe.identity(), "seed": self.seed}

    @property
    def result(self) -> nn.Module:
        """The network that is evaluated and handed on."""
        return self.average.model if self.average else self.model

    def run(self) -> Trained:
        """Run the epochs that are left."""
        for epoch in range(self.evaluated, self.recipe.epochs):
            first = self.step - epoch * self.steps
            if first < self.steps:
                self._run_steps(epoch, first)
            self.evaluated = epoch + 1
            if self.evaluated % self.recipe.evaluate_epochs == 0 or self.evaluated == self.recipe.epochs:
                self._report(self._evaluate(epoch))
            self._save()
        metrics = {name: value for name, value in self.history[-1].items() if name not in ("epoch", "step")}
        return Trained(self.result.eval(), tuple(self.history), metrics)

    def _run_steps(self, epoch: int, first: int) -> None:
        batches = iter(self.task.batches(epoch, self.world, first))
        self.parallel.train()
        for inner in range(first, self.steps):
            self._take_step(batches, epoch, inner)
            self.step += 1
            if self.step % self.recipe.report_steps == 0 or inner == self.steps - 1:
                self._report_steps()
            if time.monotonic() - self.saved_at >= self.recipe.checkpoint_seconds:
                self._save()

    def _take_step(self, batches: Iterator[Any], epoch: int, inner: int) -> None:
        count = self.recipe.accumulate
        seed_generators(self.seed, "step", self.step, self.world.rank)
        rate = learning_rate(self.recipe, self.step, self.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        sums: dict[str, Tensor] = {}
        names: list[str] = []
        for number in range(count):
            batch = next(batches, None)
            if batch is None:
                raise DataError(f"the data ended at step {inner + 1} of {self.steps} in epoch {epoch + 1}")
            names += self.task.names(batch)
            last = number == count - 1
            with contextlib.nullcontext() if last else self.world.local_gradients(self.parallel):
                with self.precision.autocast():
                    parts = _parts(self.task.loss(self.parallel, batch))
                total = torch.stack(list(parts.values())).sum()
                self.precision.scaler.scale(total / count).backward()
            if len(parts) > 1:
                parts = {"loss": total, **parts}
            for name, part in parts.items():
                sums[name] = sums.get(name, 0) + part.detach().float() / count
        if self.recipe.clip_norm:
            self.precision.scaler.unscale_(self.optimiser)
            nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip_norm)
        self.precision.scaler.step(self.optimiser)
        self.precision.scaler.update()
        self.optimiser.zero_grad(set_to_none=True)
        if self.average:
            self.average.update(self.step)
        # Last, because reading a loss waits for the device. A step that ends here has left no checkpoint.
        self._note(sums, names, epoch, inner)

    def _note(self, sums: Mapping[str, Tensor], names: list[str], epoch: int, inner: int) -> None:
        """Add a step's losses to the report that is due next; raises `NasgemError` where they are not finite."""
        local = torch.stack(list(sums.values())).tolist()
        values = [value / self.world.size for value in self.world.sum(local)]
        if not all(map(math.isfinite, values)):
            culprits = [entry for entry in self.world.gather((local, names)) if not all(map(math.isfinite, entry[0]))]
            images = [name for _, found in culprits for name in found]
            shown = ", ".join(images[:8]) + (f" and {len(images) - 8} more" if len(images) > 8 else "")
            loss = culprits[0][0][0] if culprits else values[0]
            raise NasgemError(
                f"the loss was {loss} in epoch {epoch + 1}, step {inner + 1} of {self.steps}, with the images {shown}: "
                f"lower the learning rate or look at these images; the checkpoint before it stays in {self.folder}"
            )
        for name, value in zip(sums, values, strict=True):
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.sums["steps"] = self.sums.get("steps", 0.0) + 1
        self.images += len(names) * self.world.size

    def _report_steps(self) -> None:
        count = self.sums.pop("steps")
        metrics = {name: value / count for name, value in self.sums.items()}
        metrics["learning_rate"] = learning_rate(self.recipe, self.step - 1, self.steps)
        now = time.perf_counter()
        metrics["images_per_second"] = self.images / (now - self.reported_at)
        self.sums, self.images, self.reported_at = {}, 0, now
        self._report(metrics)

    def _report(self, metrics: Mapping[str, float]) -> None:
        self.history.append({"epoch": self.evaluated, "step": self.step, **metrics})
        if self.world.rank == 0:
            total = self.recipe.epochs * self.steps
            self.on_progress(Progress(self.evaluated, self.recipe.epochs, self.step, total, metrics))

    def _evaluate(self, epoch: int) -> dict[str, float]:
        seed_generators(self.seed, "evaluation", epoch, self.world.rank)
        model = self.result.eval()
        # Each process has seen other images, and so other running statistics.
        self.world.share_first(list(model.buffers()))
        with torch.no_grad(), self.precision.autocast():
            metrics = self.task.evaluate(model, self.world)
        self.reported_at = time.perf_counter()
        return metrics

    def _save(self) -> None:
        if self.world.rank == 0:
            tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
            if self.average:
                tensors |= {f"average.{name}": value for name, value in self.average.model.state_dict().items()}
            packed, numbers = pack_optimiser(self.optimiser)
            tensors |= packed
            state = {"optimiser": numbers, "scaler": self.precision.scaler.state_dict(), "sums": self.sums}
            save_checkpoint(
                self.folder,
                Checkpoint(self.identity, self.step, self.evaluated, tensors, state, tuple(self.history)),
            )
        self.saved_at = time.monotonic()

    def resume(self, on_warning: Callable[[str], None] | None) -> None:
        """Take up the folder's last checkpoint, if there is one."""
        tell = on_warning if self.world.rank == 0 else None
        checkpoint = load_checkpoint(self.folder, self.identity, tell)
        if checkpoint is None:
            return
        _load(self.model, checkpoint.tensors, "model.")
        if self.average:
            _load(self.average.model, checkpoint.tensors, "average.")
        unpack_optimiser(self.optimiser, checkpoint.tensors, checkpoint.state["optimiser"])
        self.precision.scaler.load_state_dict(dict(checkpoint.state["scaler"]))
        self.step, self.evaluated = checkpoint.step, checkpoint.evaluated
        self.history, self.sums = list(checkpoint.history), dict(checkpoint.state["sums"])


def _parts(loss: Tensor | dict[str, Tensor]) -> dict[str, Tensor]:
    return {"loss": loss} if isinstance(loss, Tensor) else dict(loss)


def _load(model: nn.Module, tensors: Mapping[str, Tensor], prefix: str) -> None:
    model.load_state_dict({name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)})
