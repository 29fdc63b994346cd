"""Measured latency of networks on a device: median and 95th percentile of single passes, and peak memory.

The networks take turns, in a new random order each turn, so that a machine that slows down for a while slows all
of them; the median and the interquartile range ignore what interrupts a single pass.
"""

import contextlib
import gc
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from nasgem_core.deployment.peak_memory import peak_memory
from nasgem_core.errors import ParameterError
from nasgem_core.networks.layout import IMAGE_CHANNELS

WARM_UP = 3
"""Untimed passes of each network at the start: kernels are chosen and memory is allocated in them."""


@dataclass(frozen=True)
class Setting:
    """How latency is measured.

    Args:
        device: a torch device.
        batch: images per pass.
        threads: threads of the CPU; 1, the default, is the least noisy. Other devices ignore it.
        repeats: timed passes of each network.
        seed: root of the order of turns and of the random images.

    Raises:
        ParameterError: a number is below 1, or the device does not exist.
    """

    device: str = "cpu"
    batch: int = 1
    threads: int = 1
    repeats: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("batch", "threads", "repeats"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} = {getattr(self, name)}: must be at least 1")
        cores = os.cpu_count() or 1
        if self.threads > cores:
            raise ParameterError(f"threads = {self.threads}: this machine has {cores} cores, more only wait; lower it")
        if not _is_there(self.device):
            raise ParameterError(f"device = {self.device!r} is not there: use cpu, or a GPU that torch sees")


def _is_there(device: str) -> bool:
    """Say whether passes can be timed on a device: the CPU, or this machine's accelerator; torch knows others."""
    try:
        torch.empty(0, device=device)
    # Which of the three torch raises depends on the kind of device and on how torch was built.
    except (RuntimeError, AssertionError, NotImplementedError):
        return False
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    return torch.device(device).type in {"cpu", accelerator.type if accelerator else "cpu"}


@dataclass(frozen=True, eq=False)
class TimedNetwork:
    """A network to measure, in any mode and on any device; it is put into evaluation mode and moved.

    Args:
        name: what it is called in messages.
        network: maps images [B, 3, H, W] to anything.
        image_size: H and W.
        counted: what the memory at the peak of a pass is counted of, where `network` is run by another runtime or as a
            graph.
    """

    name: str
    network: nn.Module
    image_size: tuple[int, int]
    counted: nn.Module | None = None


@dataclass(frozen=True)
class Latency:
    """What was measured of one network.

    Args:
        median_ms: median time of a pass, in milliseconds.
        p95_ms: its 95th percentile.
        spread_ms: its interquartile range; much of it, next to the median, means that the machine was busy.
        peak_bytes: memory at the peak of a pass, weights and images included.
    """

    median_ms: float
    p95_ms: float
    spread_ms: float
    peak_bytes: int

    @classmethod
    def of(cls, seconds: np.ndarray, peak_bytes: int) -> "Latency":
        """Summarise the times of single passes, [repeats]."""
        low, median, high, p95 = np.percentile(seconds * 1e3, (25, 50, 75, 95))
        return cls(float(median), float(p95), float(high - low), peak_bytes)


def measure_latency(
    networks: Sequence[TimedNetwork],
    setting: Setting,
    on_progress: Callable[[int], None] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Latency]:
    """Measure networks side by side; returns one result for each, in their order.

    All networks are held on the device at once. Each timed pass follows an untimed one of the same network, as in
    steady use: the pass of another network before it would leave foreign data in the caches.

    Args:
        networks: the networks.
        setting: device, batch, threads and repeats.
        on_progress: called after each timed pass with the number of passes done.
        clock: gives the time in seconds, read before and after each timed pass.

    Raises:
        ParameterError: a network does not take the images, or the device has too little memory for it.
    """
    device = torch.device(setting.device)
    rng = np.random.default_rng(setting.seed)
    generator = torch.Generator().manual_seed(setting.seed)
    seconds = np.empty((len(networks), setting.repeats))
    with _quiet_process(setting.threads), torch.inference_mode():
        images = {}
        for size in sorted({network.image_size for network in networks}):
            try:
                images[size] = torch.randn(setting.batch, IMAGE_CHANNELS, *size, generator=generator).to(device)
            except RuntimeError:
                raise ParameterError(f"batch = {setting.batch}: too much for {device}, lower it") from None
        peaks = [_warm_up(network, images[network.image_size], device) for network in networks]
        for turn in range(setting.repeats):
            for place, i in enumerate(rng.permutation(len(networks))):
                seconds[i, turn] = _time_pass(networks[i].network, images[networks[i].image_size], device, clock)
                if on_progress is not None:
                    on_progress(turn * len(networks) + place + 1)
    return [Latency.of(row, peak) for row, peak in zip(seconds, peaks, strict=True)]


def _warm_up(timed: TimedNetwork, images: Tensor, device: torch.device) -> int:
    """Bring a network to the device, run it a few times and return its peak memory."""
    try:
        network = timed.network.eval().to(device)
        for _ in range(WARM_UP):
            network(images)
        return peak_memory(network if timed.counted is None else timed.counted.eval(), images)
    except (RuntimeError, ValueError) as error:
        height, width = timed.image_size
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ParameterError(
            f"{timed.name} cannot be run on {len(images)} images of {height} x {width} pixels on {device}: {first}"
        ) from None


def _time_pass(network: nn.Module, images: Tensor, device: torch.device, clock: Callable[[], float]) -> float:
    network(images)
    _wait_for(device)
    start = clock()
    network(images)
    _wait_for(device)
    return clock() - start


def _wait_for(device: torch.device) -> None:
    """Wait until the device has done what was asked of it: other devices than the CPU return at once."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


@contextlib.contextmanager
def _quiet_process(threads: int) -> Iterator[None]:
    """Set the threads and keep the garbage collector away; what was set before is restored."""
    before, collecting = torch.get_num_threads(), gc.isenabled()
    torch.set_num_threads(threads)
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        torch.set_num_threads(before)
        if collecting:
            gc.enable()
