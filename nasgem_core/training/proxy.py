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
from nasgem_core.training.augmentation import ImageTensor
from nasgem_core.training.image_set import ImageSet
from nasgem_core.training.schedule_length import ScheduleLength
from nasgem_core.training.schedules import warm_cosine

WARMUP_SHARE = 0.05
OnProgress = Callable[[int, dict[str, float]], None]
_INITIALISING = threading.Lock()


@dataclass(frozen=True)
class ProxyResult:
    """The result of a proxy training.

    Args:
        accuracy: validation accuracy after the last epoch, a fraction; nan if the training failed.
        failed: whether the loss stopped being finite.
        reason: why it failed, or an empty text.
        epoch_losses: mean training loss of each epoch.
        epoch_accuracies: validation accuracy after each epoch.
        seconds: wall-clock time, data transfer and validation included.
        images_per_second: training images divided by the time of the training steps alone.
    """

    accuracy: float
    failed: bool
    reason: str
    epoch_losses: tuple[float, ...]
    epoch_accuracies: tuple[float, ...]
    seconds: float
    images_per_second: float


def train_cell(
    cell: Cell,
    images: ImageSet,
    config: ProxyConfig,
    seed: int,
    *,
    device: str = "cpu",
    on_progress: OnProgress | None = None,
) -> ProxyResult:
    """Build the network of a cell (paper, section 3.2), train it, and measure its validation accuracy.

    Args:
        cell: the cell to train.
        images: training and validation images.
        config: network and training parameters.
        seed: root of initialisation, shuffling and augmentation.
        device: a torch device.
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
    on_progress: OnProgress | None = None,
) -> ProxyResult:
    """Build any network, train it, and measure its validation accuracy.

    The optimiser is Adam with an L2 penalty; the learning rate rises for the first 5 % of the steps and then follows a
    cosine to zero. An epoch consists of as many full batches as the shuffled images fill; with few images there are
    more epochs, so that there are `least_steps` steps. On the CPU a training uses one thread, so that one process per
    core is the fastest arrangement, and equal arguments give equal bits however many run at once. On CUDA the images
    stay on the device, and each training has its own stream, so that several can share a device.

    Args:
        build: returns the network with fresh weights, drawn from torch's global generator.
        images: training and validation images.
        config: training parameters.
        seed: root of initialisation, shuffling and augmentation.
        device: a torch device.
        channels_last: keep channels innermost in memory on the CPU too, where the layers of most networks are faster
            with it; otherwise the batch is innermost, as `CellNetwork` needs it.
        on_progress: called after each epoch with the number of epochs done and {"loss", "accuracy"}.
    """
    start = time.perf_counter()
    target = torch.device(device)
    length = ScheduleLength(config.epochs, config.batch_size).reaching(config.least_steps, len(images.train_labels))
    config = replace(config, epochs=length.epochs, batch_size=length.batch_size)
    with _execution(target):
        network = _initialised(build, derive_seed(seed, "initialisation")).to(target)
        training = _Training(network, images, config, seed, channels_last=channels_last or target.type == "cuda")
        losses: list[float] = []
        accuracies: list[float] = []
        reason = ""
        for epoch in range(config.epochs):
            loss = training.run_epoch()
            if not math.isfinite(loss):
                reason = f"the training loss was {loss} in epoch {epoch + 1} of {config.epochs}: lower learning_rate"
                break
            losses.append(loss)
            accuracies.append(training.validate())
            if on_progress is not None:
                on_progress(epoch + 1, {"loss": losses[-1], "accuracy": accuracies[-1]})
    return ProxyResult(
        accuracy=math.nan if reason else accuracies[-1],
        failed=bool(reason),
        reason=reason,
        epoch_losses=tuple(losses),
        epoch_accuracies=tuple(accuracies),
        seconds=time.perf_counter() - start,
        images_per_second=training.images_seen / training.step_seconds,
    )


@contextlib.contextmanager
def _execution(device: torch.device) -> Iterator[None]:
    """Use one thread on the CPU and a separate stream on CUDA; restore the former settings afterwards."""
    if device.type == "cuda":
        with torch.cuda.device(device), torch.cuda.stream(torch.cuda.Stream(device)):
            yield
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
    """State of one training: network, optimiser, images on the device and the two random streams."""

    def __init__(
        self, network: nn.Module, images: ImageSet, config: ProxyConfig, seed: int, *, channels_last: bool
    ) -> None:
        device = next(network.parameters()).device
        self.network, self.config, self.device, self.channels_last = network, config, device, channels_last
        if channels_last:
            self.network.to(memory_format=torch.channels_last)
        moments = (images.mean, images.std)
        self.train = ImageTensor.from_arrays(images.train_images, images.train_labels, moments, device)
        self.validation = ImageTensor.from_arrays(images.validation_images, images.validation_labels, moments, device)
        self.optimiser = torch.optim.Adam(
            self.network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        self.shuffle = torch.Generator().manual_seed(derive_seed(seed, "shuffle"))
        self.augmentation = torch.Generator().manual_seed(derive_seed(seed, "augmentation"))
        self.batch_size = min(config.batch_size, len(self.train))
        self.steps_per_epoch = len(self.train) // self.batch_size
        self.steps = self.steps_per_epoch * config.epochs
        self.step = 0
        self.images_seen = 0
        self.step_seconds = 0.0

    def run_epoch(self) -> float:
        """Train on every full batch of the shuffled images and return the mean loss."""
        start = time.perf_counter()
        self.network.train()
        order = torch.randperm(len(self.train), generator=self.shuffle)
        total = torch.zeros((), device=self.device)
        for index in order[: self.steps_per_epoch * self.batch_size].split(self.batch_size):
            total += self._train_batch(index)
        mean = total.item() / self.steps_per_epoch
        self.images_seen += self.steps_per_epoch * self.batch_size
        self.step_seconds += time.perf_counter() - start
        return mean

    def _train_batch(self, index: Tensor) -> Tensor:
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * learning_rate_factor(self.step, self.steps)
        inputs = self.train.batch(index, self.augmentation if self.config.augment else None)
        labels = self.train.labels[index.to(self.device)]
        loss = nn.functional.cross_entropy(self._logits(inputs), labels)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.step += 1
        return loss.detach()

    @torch.no_grad()
    def validate(self) -> float:
        """Return the share of validation images whose largest logit is that of their label."""
        self.network.eval()
        correct = torch.zeros((), dtype=torch.int64, device=self.device)
        for index in torch.arange(len(self.validation)).split(self.batch_size):
            predicted = self._logits(self.validation.batch(index, None)).argmax(dim=1)
            correct += (predicted == self.validation.labels[index.to(self.device)]).sum()
        return correct.item() / len(self.validation)

    def _logits(self, inputs: Tensor) -> Tensor:
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda"):
            if self.channels_last:
                inputs = inputs.contiguous(memory_format=torch.channels_last)
            return self.network(inputs).float()
