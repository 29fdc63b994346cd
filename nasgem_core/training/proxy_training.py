"""Epoch by epoch of a proxy training: what is drawn for one is drawn by the host while a GPU still works on another."""

import time

import torch
from torch import Tensor

from nasgem_core.config.search import ProxyConfig
from nasgem_core.seeding import derive_seed
from nasgem_core.training.augmentation import ImageTensor, draw_views
from nasgem_core.training.image_set import ImageSet
from nasgem_core.training.replay import Replay
from nasgem_core.training.schedules import warm_cosine
from nasgem_core.training.step import Classifier, TrainingStep, Validation

WARMUP_SHARE = 0.05
VALIDATED_PIXELS = 512 * 32**2
"""Pixels of the images that a GPU validates at a time, at least: 512 of CIFAR-10's.

Of a vertex, training keeps three maps of a batch of 128 for the backward pass, and validation one of these."""


def learning_rate_factor(step: int, steps: int) -> float:
    """Return the share of the peak learning rate at a step of `steps`: 5 % warm-up, then a cosine to zero."""
    return warm_cosine(step, steps, max(1, round(WARMUP_SHARE * steps)))


class ProxyTraining:
    """State of one training: its step, its validation, and the two random streams.

    Args:
        classifier: the network, on its device.
        images: training and validation images.
        config: training parameters.
        seed: root of shuffling and augmentation.
        graphs: replay steps and validations as CUDA graphs.
    """

    def __init__(
        self, classifier: Classifier, images: ImageSet, config: ProxyConfig, seed: int, *, graphs: bool
    ) -> None:
        moments, device = (images.mean, images.std), classifier.device
        train = ImageTensor.from_arrays(images.train_images, images.train_labels, moments, device)
        validation = ImageTensor.from_arrays(images.validation_images, images.validation_labels, moments, device)
        self.config, self._images, self._validation_images = config, len(train), len(validation)
        self.batch_size = min(config.batch_size, len(train))
        self.steps_per_epoch = len(train) // self.batch_size
        self._shuffle = torch.Generator().manual_seed(derive_seed(seed, "shuffle"))
        self._augmentation = torch.Generator().manual_seed(derive_seed(seed, "augmentation"))
        self._step = TrainingStep(classifier, train, (self.steps_per_epoch, self.batch_size), config.weight_decay)
        passes = self.batch_size
        if device.type == "cuda":
            passes = max(passes, VALIDATED_PIXELS // images.image_size**2)
        self._validation = Validation(classifier, validation, passes)
        self._take_step: Replay | TrainingStep = Replay(self._step) if graphs else self._step
        self._count: Replay | Validation = Replay(self._validation, eager_calls=1) if graphs else self._validation
        self._epoch = 0
        self._views = self._draw()
        self.images_seen = 0
        self.step_seconds = 0.0

    @property
    def note(self) -> str:
        """Why the steps were not replayed although they should have been, or an empty text."""
        fault = self._take_step.fault if isinstance(self._take_step, Replay) else ""
        return f"without a CUDA graph: {fault}" if fault else ""

    def run_epoch(self) -> float:
        """Train on every full batch of the shuffled images and return the mean loss."""
        start = time.perf_counter()
        first, steps = self._epoch * self.steps_per_epoch, self.steps_per_epoch * self.config.epochs
        rates = [
            self.config.learning_rate * learning_rate_factor(first + step, steps)
            for step in range(self.steps_per_epoch)
        ]
        self._step.begin(self._views, rates)
        for _ in range(self.steps_per_epoch):
            self._take_step()
        self._epoch += 1
        if self._epoch < self.config.epochs:
            self._views = self._draw()  # while a GPU still works on the steps
        mean = self._step.loss.item() / self.steps_per_epoch
        self.images_seen += self.steps_per_epoch * self.batch_size
        self.step_seconds += time.perf_counter() - start
        return mean

    def _draw(self) -> Tensor:
        order = torch.randperm(self._images, generator=self._shuffle)
        return draw_views(order, self.batch_size, self._augmentation if self.config.augment else None)

    def validate(self) -> float:
        """Return the share of validation images whose largest logit is that of their label."""
        self._count()
        return self._validation.correct.item() / self._validation_images
