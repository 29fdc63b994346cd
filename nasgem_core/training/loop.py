"""The loop that trains any network: steps, averaging, evaluation, reports and checkpoints.

A training is a pure function of its task, recipe and seed: data order and augmentation depend on the seed, the epoch
and the image; random numbers of layers (dropout, a detector's choice of anchors) depend on the seed, the step and the
process. So a training that was killed at any step and resumed ends with the same weights as an uninterrupted one, and
a checkpoint needs no states of random generators.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nasgem_core.errors import DataError, ParameterError
from nasgem_core.training.averaging import WeightAverage
from nasgem_core.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from nasgem_core.training.distributed import World
from nasgem_core.training.execution import Precision, execution, seed_generators
from nasgem_core.training.losses import LossMeter
from nasgem_core.training.optimiser_state import pack_optimiser, unpack_optimiser
from nasgem_core.training.optimisers import make_optimiser
from nasgem_core.training.recipe import TrainingRecipe
from nasgem_core.training.schedules import learning_rate
from nasgem_core.training.task import Progress, Trained, TrainingTask

MAX_ROWS = 2_000
"""Approximate limit of loss reports in a history, so that checkpoints and curves of long trainings stay small."""


def train(
    task: TrainingTask,
    recipe: TrainingRecipe,
    folder: Path,
    *,
    seed: int,
    until: int | None = None,
    world: World | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_warning: Callable[[str], None] | None = None,
    on_saved: Callable[[Path], None] | None = None,
) -> Trained:
    """Train a task to the end, from the folder's last checkpoint if it has one.

    Args:
        task: the network and its data.
        recipe: optimiser, schedule, precision and the like.
        folder: for the checkpoints of this training only; process 0 writes them.
        seed: root of the random numbers that layers draw in training.
        until: stop after so many of the recipe's epochs, and evaluate; a later call goes on from there to the same
            weights as without a stop. A checkpoint of later epochs is returned as it is.
        world: this process among several, and its device; by default a single process on the CPU.
        on_progress: called on process 0 with each report.
        on_warning: called on process 0 if an unreadable checkpoint was skipped.
        on_saved: called on process 0 with the folder after each checkpoint.

    Raises:
        DivergedError: the loss is not finite; the message names epoch, step and images. The last checkpoint remains.
        DataError: the folder's checkpoint belongs to another training or cannot be read.
        ParameterError: an epoch has no whole step, or the device does not support the recipe.
    """
    world = world or World()
    with execution(world, recipe.deterministic, task.equal_shapes):
        loop = _Loop(task, recipe, folder, seed=seed, world=world)
        loop.on_progress, loop.on_saved = on_progress or loop.on_progress, on_saved or loop.on_saved
        loop.resume(on_warning)
        world.wait()  # no process writes a checkpoint before all have read theirs
        return loop.run(recipe.epochs if until is None else min(until, recipe.epochs))


class _Loop:
    """The state of one training between two steps."""

    def __init__(
        self,
        task: TrainingTask,
        recipe: TrainingRecipe,
        folder: Path,
        *,
        seed: int,
        world: World,
    ) -> None:
        self.task, self.recipe, self.folder, self.seed, self.world = task, recipe, folder, seed, world
        self.on_progress: Callable[[Progress], None] = lambda _: None
        self.on_saved: Callable[[Path], None] = lambda _: None
        self.steps = task.steps_per_epoch()
        if self.steps < 1:
            raise ParameterError(
                "batch_size is larger than the number of training images, so an epoch has no whole step: lower it"
            )
        # The history records every k-th report.
        reports = recipe.epochs * self.steps / recipe.report_steps
        self.record_steps = recipe.report_steps * max(1, math.ceil(reports / MAX_ROWS))
        self.precision = Precision(recipe.precision, world.device)
        layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
        self.model = task.model.to(device=world.device).to(memory_format=layout)
        self.average = WeightAverage(self.model, recipe.averaging) if recipe.averaging else None
        self.optimiser = make_optimiser(self.model, recipe)
        self.parallel = world.parallel(self.model, recipe.synchronise_statistics)
        self.step = self.evaluated = 0
        self.history: list[Mapping[str, float]] = []
        self.losses = LossMeter(world, folder)
        self.reported_at = time.perf_counter()
        self.saved_at = time.monotonic()

    @property
    def identity(self) -> dict[str, Any]:
        """What a checkpoint must match."""
        return {"task": dict(self.task.identity), "recipe": self.recipe.identity(), "seed": self.seed}

    @property
    def result(self) -> nn.Module:
        """The network that is evaluated and returned."""
        return self.average.model if self.average else self.model

    def run(self, epochs: int) -> Trained:
        """Run what remains of so many epochs."""
        for epoch in range(self.evaluated, epochs):
            first = self.step - epoch * self.steps
            if first < self.steps:
                self._run_steps(epoch, first)
            self.evaluated = epoch + 1
            self.losses.require_finite(self.model)
            if self.evaluated % self.recipe.evaluate_epochs == 0 or self.evaluated == epochs:
                self._record(self._evaluate(epoch))
            self._save()
        # Behind the last evaluation there may be reports of a later epoch that was interrupted.
        last = next((row for row in reversed(self.history) if "learning_rate" not in row), {})
        metrics = {name: value for name, value in last.items() if name not in ("epoch", "step")}
        return Trained(self.result.eval(), tuple(self.history), metrics)

    def _run_steps(self, epoch: int, first: int) -> None:
        batches = iter(self.task.batches(epoch, self.world, first))
        self.parallel.train()
        for inner in range(first, self.steps):
            self._take_step(batches, epoch, inner)
            self.step += 1
            if self.step % self.record_steps == 0 or inner == self.steps - 1:
                self._record(self._step_metrics())
                self.losses.clear()
                self.reported_at = time.perf_counter()
            elif self.step % self.recipe.report_steps == 0:
                self._report(self._step_metrics(), recorded=False)
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
        # Last, because reading a loss waits for the device. A step that fails has written no checkpoint.
        self.losses.add(sums, names, f"epoch {epoch + 1}, step {inner + 1} of {self.steps}")

    def _step_metrics(self) -> dict[str, float]:
        means = self.losses.means()
        return {
            **means,
            "learning_rate": learning_rate(self.recipe, self.step - 1, self.steps),
            "images_per_second": self.losses.images / (time.perf_counter() - self.reported_at),
        }

    def _record(self, metrics: Mapping[str, float]) -> None:
        self.history.append({"epoch": self.evaluated, "step": self.step, **metrics})
        self._report(metrics, recorded=True)

    def _report(self, metrics: Mapping[str, float], *, recorded: bool) -> None:
        if self.world.rank == 0:
            total = self.recipe.epochs * self.steps
            self.on_progress(Progress(self.evaluated, self.recipe.epochs, self.step, total, metrics, recorded))

    def _evaluate(self, epoch: int) -> dict[str, float]:
        seed_generators(self.seed, "evaluation", epoch, self.world.rank)
        model = self.result.eval()
        # Each process has seen different images, and so has different running statistics.
        self.world.share_first(list(model.buffers()))
        with torch.no_grad(), self.precision.autocast():
            metrics = self.task.evaluate(model, self.world)
        self.reported_at = time.perf_counter()
        return metrics

    def _save(self) -> None:
        if self.world.rank == 0:
            self.losses.require_finite(self.model)
            tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
            if self.average:
                tensors |= {f"average.{name}": value for name, value in self.average.model.state_dict().items()}
            packed, numbers = pack_optimiser(self.optimiser)
            tensors |= packed
            state = {
                "optimiser": numbers,
                "scaler": self.precision.scaler.state_dict(),
                "sums": self.losses.sums,
                "steps": self.losses.steps,
            }
            save_checkpoint(
                self.folder,
                Checkpoint(self.identity, self.step, self.evaluated, tensors, state, tuple(self.history)),
            )
            self.on_saved(self.folder)
        self.saved_at = time.monotonic()

    def resume(self, on_warning: Callable[[str], None] | None) -> None:
        """Restore the state of the folder's last checkpoint, if there is one."""
        warn = on_warning if self.world.rank == 0 else None
        checkpoint = load_checkpoint(self.folder, self.identity, warn)
        if checkpoint is None:
            return
        _load(self.model, checkpoint.tensors, "model.")
        if self.average:
            _load(self.average.model, checkpoint.tensors, "average.")
        unpack_optimiser(self.optimiser, checkpoint.tensors, checkpoint.state["optimiser"])
        if checkpoint.state["scaler"]:  # empty if the checkpoint was trained without a scale
            self.precision.scaler.load_state_dict(dict(checkpoint.state["scaler"]))
        self.step, self.evaluated = checkpoint.step, checkpoint.evaluated
        self.history = list(checkpoint.history)
        self.losses.sums, self.losses.steps = dict(checkpoint.state["sums"]), checkpoint.state["steps"]


def _parts(loss: Tensor | dict[str, Tensor]) -> dict[str, Tensor]:
    return {"loss": loss} if isinstance(loss, Tensor) else dict(loss)


def _load(model: nn.Module, tensors: Mapping[str, Tensor], prefix: str) -> None:
    model.load_state_dict({name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)})
