"""A small task for the loop, and what runs it in processes of its own."""

import os
import signal
import threading
from dataclasses import replace

import torch
from torch import nn

from nasgem_core.training.loop import train
from nasgem_core.training.order import epoch_batches
from nasgem_core.training.recipe import TrainingRecipe

RECIPE = TrainingRecipe(epochs=3, learning_rate=0.02, warmup_steps=2, averaging=0.9, report_steps=2)


class ToyTask:
    """Four kinds of noisy images; every layer that draws or counts in training is there."""

    def __init__(self, count=44, batch_size=8, accumulate=1, normalise=True, dropout=0.2, seed=0):
        generator = torch.Generator().manual_seed(seed)
        self.labels = torch.arange(count) % 4
        self.images = torch.randn(count, 3, 6, 6, generator=generator) + 0.5 * self.labels.view(-1, 1, 1, 1)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model = nn.Sequential(
                nn.Conv2d(3, 8, 3, padding=1, bias=not normalise),
                nn.BatchNorm2d(8) if normalise else nn.Identity(),
                nn.ReLU(),
                nn.Dropout(dropout),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
                nn.Linear(8, 4),
            )
        self.equal_shapes = True
        self.batch_size, self.accumulate = batch_size, accumulate
        self.identity = {"network": {"kind": "toy", "normalise": normalise}}

    def steps_per_epoch(self):
        return len(self.labels) // self.batch_size

    def batches(self, epoch, world, first_step):
        order = epoch_batches(
            len(self.labels),
            self.batch_size,
            accumulate=self.accumulate,
            seed=7,
            epoch=epoch,
            world=world,
            first_step=first_step,
        )
        for index in order:
            yield torch.from_numpy(index)

    def loss(self, model, batch):
        return nn.functional.cross_entropy(model(self.images[batch]), self.labels[batch])

    def names(self, batch):
        return [f"image {index}" for index in batch.tolist()]

    def evaluate(self, model, world):
        mine = slice(world.rank, None, world.size)
        hits = (model(self.images[mine]).argmax(1) == self.labels[mine]).sum().item()
        correct, seen = world.sum([hits, len(self.labels[mine])])
        return {"top1": correct / seen}


class Poisoned(ToyTask):
    """One image has a loss that is not finite."""

    def loss(self, model, batch):
        loss = super().loss(model, batch)
        return loss * float("nan") if 3 in batch.tolist() else loss


def run_until(folder, step, delay, recipe):
    """Train in `folder` and be killed, with no chance to tidy up, so many seconds after a step was reported."""
    torch.set_num_threads(1)

    def watch(progress):
        if progress.step >= step:
            threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()

    train(ToyTask(), replace(recipe, report_steps=1), folder, seed=1, on_progress=watch)
    # Whoever was killed last may have come so far that no report is left, or ends before the time is up.
    os.kill(os.getpid(), signal.SIGKILL)
