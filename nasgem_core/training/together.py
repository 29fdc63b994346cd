"""Many trainings in several processes on one device, and how many an hour that makes."""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing.synchronize import Barrier

import torch

from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import ProxyConfig
from nasgem_core.training.image_set import ImageSet
from nasgem_core.training.proxy import FASTEST, Mode, ProxyResult, train_cell

START_SECONDS = 300.0
"""What processes have to start in, their first training included."""


@dataclass(frozen=True)
class Job:
    """A training.

    Args:
        cell: what is trained.
        seed: root of its randomness.
        mode: how it runs.
    """

    cell: Cell
    seed: int = 0
    mode: Mode = FASTEST


@dataclass(frozen=True)
class Together:
    """What trainings in several processes gave.

    Args:
        results: of each training, in the order of the jobs.
        seconds: from the first start to the last end; what processes did before is left out.
        peak_bytes: memory of the GPU that a process held at most; 0 on the CPU.
    """

    results: tuple[ProxyResult, ...]
    seconds: float
    peak_bytes: int = 0

    @property
    def per_hour(self) -> float:
        """Trainings an hour."""
        return len(self.results) * 3600 / self.seconds


@dataclass(frozen=True)
class _Given:
    """What a process keeps for all of its trainings."""

    images: ImageSet
    config: ProxyConfig
    device: str


@dataclass(frozen=True)
class _Done:
    """A training that is over, when it began and ended on the clock that all processes share, and its memory."""

    result: ProxyResult
    start: float
    end: float
    peak_bytes: int


_given: _Given | None = None


def train_together(
    jobs: Sequence[Job],
    images: ImageSet,
    config: ProxyConfig,
    *,
    device: str,
    workers: int,
    on_result: Callable[[int], None] | None = None,
) -> Together:
    """Train cells in several processes, each of which takes the next job when it is done with one.

    Each process first trains the first job's cell for one epoch, so that libraries are loaded and the device is ready;
    then all begin at the same moment. Put the jobs that take longest first, and nobody waits for the last one.

    Args:
        jobs: at least as many as there are processes.
        images: training and validation images of all of them.
        config: training parameters of all of them.
        device: a torch device.
        workers: processes.
        on_result: called with the number of trainings that are over, after each.

    Raises:
        ValueError: there are fewer jobs than processes.
        BrokenProcessPool: a process ended, or could not train its first cell.
        DeviceMemoryError: the device has too little memory for so many at once.
    """
    if len(jobs) < workers:
        raise ValueError(f"{len(jobs)} jobs for {workers} processes: give each at least one")
    context = multiprocessing.get_context("spawn")
    given, barrier = _Given(images, config, device), context.Barrier(workers)
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(
        workers, mp_context=context, initializer=_prepare, initargs=(given, jobs[0], barrier)
    ) as pool:
        try:
            futures = [pool.submit(_train, job) for job in jobs]
            done = []
            for number, future in enumerate(futures, start=1):
                done.append(future.result())
                if on_result is not None:
                    on_result(number)
        except BaseException:  # also where the caller has no more time
            pool.shutdown(wait=False, cancel_futures=True)
            own = set(multiprocessing.active_children()) - others
            for process in own:
                process.terminate()
            for process in own:
                process.join()
            raise
    seconds = max(each.end for each in done) - min(each.start for each in done)
    return Together(tuple(each.result for each in done), seconds, max(each.peak_bytes for each in done))


def _prepare(given: _Given, first: Job, barrier: Barrier) -> None:
    global _given  # noqa: PLW0603 - what initialises a process can leave its values nowhere else
    _given = given
    short = replace(given.config, epochs=1, least_steps=0)
    try:
        train_cell(first.cell, given.images, short, first.seed, device=given.device, mode=first.mode)
    except BaseException:
        barrier.abort()  # the others would wait
        raise
    barrier.wait(START_SECONDS)


def _train(job: Job) -> _Done:
    assert _given is not None
    start = time.monotonic()
    result = train_cell(job.cell, _given.images, _given.config, job.seed, device=_given.device, mode=job.mode)
    end = time.monotonic()
    on_gpu = torch.device(_given.device).type == "cuda"
    return _Done(result, start, end, torch.cuda.max_memory_reserved(_given.device) if on_gpu else 0)
