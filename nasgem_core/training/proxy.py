"""Training on the proxy task (paper, section 3.2): from a cell, or any network, to its validation accuracy."""

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import ProxyConfig
from nasgem_core.networks.cell_network import CellNetwork
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.seeding import derive_seed
from nasgem_core.training.augmentation import ImageTensor, draw_views
from nasgem_core.training.image_set import ImageSet
from nasgem_core.training.replay import Replay
from nasgem_core.training.schedule_length import ScheduleLength
from nasgem_core.training.schedules import warm_cosine
from nasgem_core.training.step import Classifier, TrainingStep, Validation

WARMUP_SHARE = 0.05
VALIDATED_PIXELS = 1_000 * 32**2
"""Pixels of the images that a GPU validates at a time, at least: a thousand of CIFAR-10's."""
OnProgress = Callable[[int, dict[str, float]], None]
_INITIALISING = threading.Lock()


@dataclass(frozen=True)
class Mode:
    """How a training runs, which must not change its result beyond rounding.

    Args:
        graphs: replay steps as CUDA graphs, on a GPU.
        reduced: compute in bfloat16, on a GPU that has it.
        channels_last: keep channels innermost in memory, on a GPU.
        curve: validate after every epoch, and not only after the last.
    """

    graphs: bool = True
    reduced: bool = True
    channels_last: bool = True
    curve: bool = True


FASTEST = Mode()


@dataclass(frozen=True)
class ProxyResult:
    """The result of a proxy training.

    Args:
        accuracy: validation accuracy after the last epoch, a fraction; nan if the training failed.
        failed: whether the loss stopped being finite.
        reason: why it failed, or an empty text.
        epoch_losses: mean training loss of each epoch.
        epoch_accuracies: validation accuracy after each epoch, or after the last one alone.
        seconds: wall-clock time, data transfer and validation included.
        images_per_second: training images divided by the time of the training steps alone.
        note: why it ran more slowly than it should have, or an empty text.
    """

    accuracy: float
    failed: bool
    reason: str
    epoch_losses: tuple[float, ...]
    epoch_accuracies: tuple[float, ...]
    seconds: float
    images_per_second: float
    note: str = ""


def train_cell(
    cell: Cell,
    images: ImageSet,
    config: ProxyConfig,
    seed: int,
    *,
    device: str = "cpu",
    mode: Mode = FASTEST,
    on_progress: OnProgress | None = None,
) -> ProxyResult:
    """Build the network of a cell (paper, section 3.2), train it, and measure its validation accuracy.

    Args:
        cell: the cell to train.
        images: training and validation images.
        config: network and training parameters.
        seed: root of initialisation, shuffling and augmentation.
        device: a torch device.
        mode: how it runs.
        on_progress: called after each epoch with the number of epochs done and {"loss", "accuracy"}.

    Raises:
        ParameterError: the images are too small for the stem's stride and the number of stages.
    """
    layout = NetworkLayout.from_proxy(config, images.image_size)
    return train_network(
        lambda: CellNetwork(cell, layout, len(images.classes)),
        images,
        config,
        seed,
        device=device,
        mode=mode,
        on_progress=on_progress,
    )


def train_network(
    build: Callable[[], nn.Module],
    images: ImageSet,
    config: ProxyConfig,
    seed: int,
    *,
    device: str = "cpu",
    channels_last: bool = False,
    mode: Mode = FASTEST,
    on_progress: OnProgress | None = None,
) -> ProxyResult:
    """Build any network, train it, and measure its validation accuracy.

    The optimiser is Adam with an L2 penalty; the learning rate rises for the first 5 % of the steps and then follows a
    cosine to zero. An epoch consists of as many full batches as the shuffled images fill; with few images there are
    more epochs, so that there are `least_steps` steps. On the CPU a training uses one thread, so that one process per
    core is the fastest arrangement, and equal arguments give equal bits however many run at once. On CUDA the images
    stay on the device, and each training has its own stream and its own CUDA graphs, one of a step and one of a
    validation, so that several can share a device.

    Args:
        build: returns the network with fresh weights, drawn from torch's global generator.
        images: training and validation images.
        config: training parameters.
        seed: root of initialisation, shuffling and augmentation.
        device: a torch device.
        channels_last: keep channels innermost in memory on the CPU, where the layers of most networks are faster with
            it; otherwise the batch is innermost, as `CellNetwork` needs it.
        mode: how it runs.
        on_progress: called after each epoch with the number of epochs done and {"loss"}, and {"accuracy"} if it was
            validated.

    Raises:
        torch.OutOfMemoryError: the device has too little memory.
    """
    target = torch.device(device)
    length = ScheduleLength(config.epochs, config.batch_size).reaching(config.least_steps, len(images.train_labels))
    config = replace(config, epochs=length.epochs, batch_size=length.batch_size)
    with _execution(target):
        return _run(
            build,
            images,
            config,
            seed,
            device=target,
            channels_last=channels_last,
            mode=mode,
            on_progress=on_progress,
        )


def _run(
    build: Callable[[], nn.Module],
    images: ImageSet,
    config: ProxyConfig,
    seed: int,
    *,
    device: torch.device,
    channels_last: bool,
    mode: Mode,
    on_progress: OnProgress | None,
) -> ProxyResult:
    start = time.perf_counter()
    cuda = device.type == "cuda"
    network = _initialised(build, derive_seed(seed, "initialisation")).to(device)
    half = cuda and mode.reduced and torch.cuda.is_bf16_supported(including_emulation=False)
    dtype = torch.bfloat16 if half else torch.float32
    classifier = Classifier(network, dtype, channels_last=mode.channels_last if cuda else channels_last)
    training = _Training(classifier, images, config, seed, graphs=cuda and mode.graphs)
    losses: list[float] = []
    accuracies: list[float] = []
    reason = ""
    for epoch in range(config.epochs):
        loss = training.run_epoch()
        if not math.isfinite(loss):
            reason = f"the training loss was {loss} in epoch {epoch + 1} of {config.epochs}: lower learning_rate"
            break
        losses.append(loss)
        metrics = {"loss": loss}
        if mode.curve or epoch == config.epochs - 1:
            accuracies.append(training.validate())
            metrics["accuracy"] = accuracies[-1]
        if on_progress is not None:
            on_progress(epoch + 1, metrics)
    return ProxyResult(
        accuracy=math.nan if reason else accuracies[-1],
        failed=bool(reason),
        reason=reason,
        epoch_losses=tuple(losses),
        epoch_accuracies=tuple(accuracies),
        seconds=time.perf_counter() - start,
        images_per_second=training.images_seen / training.step_seconds,
        note=training.note,
    )


@contextlib.contextmanager
def _execution(device: torch.device) -> Iterator[None]:
    """Use one thread on the CPU and a separate stream on CUDA; restore the former settings afterwards.

    A training that is over gives its memory back to the GPU, which other processes share.
    """
    if device.type == "cuda":
        with torch.cuda.device(device):
            try:
                with torch.cuda.stream(torch.cuda.Stream(device)):
                    yield
            finally:
                torch.cuda.empty_cache()
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _initialised(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    # Layers draw their initial weights from torch's global generator: it is seeded and restored, one build at a time.
    with _INITIALISING, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return build()


def learning_rate_factor(step: int, steps: int) -> float:
    """Return the share of the peak learning rate at a step of `steps`: 5 % warm-up, then a cosine to zero."""
    return warm_cosine(step, steps, max(1, round(WARMUP_SHARE * steps)))


class _Training:
    """State of one training: its step, its validation, and the two random streams."""

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
