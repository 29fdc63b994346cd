"""Training on the proxy task (paper, section 3.2): from a cell, or any network, to its validation accuracy."""

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import nn

from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import ProxyConfig
from nasgem_core.errors import DeviceMemoryError
from nasgem_core.networks.cell_network import CellNetwork
from nasgem_core.networks.layout import NetworkLayout
from nasgem_core.seeding import derive_seed
from nasgem_core.training.execution import lacks_memory, release_memory
from nasgem_core.training.image_set import ImageSet
from nasgem_core.training.proxy_training import ProxyTraining
from nasgem_core.training.schedule_length import ScheduleLength
from nasgem_core.training.step import Classifier

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
    stay on the device, and each training has its own CUDA graphs, one of a step and one of a validation; trainings in
    several threads or processes can share a device.

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
        DeviceMemoryError: the device has too little memory.
    """
    target = torch.device(device)
    length = ScheduleLength(config.epochs, config.batch_size).reaching(config.least_steps, len(images.train_labels))
    config = replace(config, epochs=length.epochs, batch_size=length.batch_size)
    try:
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
    except RuntimeError as error:
        if not lacks_memory(error):
            raise
        # An error raised here would keep alive what has to be freed.
    finally:
        release_memory(target)
    raise DeviceMemoryError(
        f"{device} has too little memory left for a training of {config.batch_size} images at a time: lower "
        "proxy.batch_size, or the number of --workers"
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
    training = ProxyTraining(classifier, images, config, seed, graphs=cuda and mode.graphs)
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
    """Use one thread on the CPU and a stream of our own on CUDA; restore the former settings afterwards."""
    if device.type == "cuda":
        with torch.cuda.device(device), torch.cuda.stream(_stream(device, threading.get_ident())):
            yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@cache
def _stream(device: torch.device, _thread: int) -> torch.cuda.Stream:
    """Return the stream of all trainings of a thread: for each new one libraries keep a workspace as long as we run."""
    return torch.cuda.Stream(device)


def _initialised(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    # Layers draw their initial weights from torch's global generator: it is seeded and restored, one build at a time.
    with _INITIALISING, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return build()
