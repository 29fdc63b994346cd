"""How many trainings at a time a GPU is fastest with: measured, because no rule knows it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nasgem_core.cells.cell import Cell
from nasgem_core.config.search import ProxyConfig
from nasgem_core.errors import DeviceMemoryError
from nasgem_core.training.image_set import ImageSet
from nasgem_core.training.together import Job, train_together

COUNTS = (1, 2, 4, 8)
"""Numbers of processes that are tried."""
LEAST_GAIN = 1.05
"""More processes must be faster by this, or they are not worth their memory."""


@dataclass(frozen=True)
class WorkerRate:
    """How fast so many processes are.

    Args:
        workers: processes that share a GPU.
        per_hour: trainings an hour of all of them.
        peak_bytes: memory of the GPU that each holds at most.
    """

    workers: int
    per_hour: float
    peak_bytes: int


def measure_workers(
    cells: Sequence[Cell],
    images: ImageSet,
    config: ProxyConfig,
    *,
    device: str,
    free_bytes: int,
    on_measured: Callable[[WorkerRate], None] | None = None,
) -> list[WorkerRate]:
    """Train the same cells with more and more processes, until more are no faster or would not fit.

    Args:
        cells: at least as many as the most processes, those that take longest first.
        images: training and validation images.
        config: training parameters.
        device: a torch device.
        free_bytes: memory of the device that nobody uses.
        on_measured: called with each rate as it is found.

    Raises:
        DeviceMemoryError: there is too little memory for a single training.
    """
    rates: list[WorkerRate] = []
    for count in COUNTS:
        if rates and not fits(count, rates[-1].peak_bytes, free_bytes):
            break
        try:
            found = train_together([Job(cell) for cell in cells], images, config, device=device, workers=count)
        except DeviceMemoryError:
            if not rates:
                raise
            break
        rates.append(WorkerRate(count, found.per_hour, found.peak_bytes))
        if on_measured is not None:
            on_measured(rates[-1])
        if len(rates) > 1 and rates[-1].per_hour < LEAST_GAIN * rates[-2].per_hour:
            break
    return rates


def best_rate(rates: Sequence[WorkerRate]) -> WorkerRate:
    """Return the rate of the fewest processes that are as fast as any, but for `LEAST_GAIN`."""
    enough = max(rate.per_hour for rate in rates) / LEAST_GAIN
    return min((rate for rate in rates if rate.per_hour >= enough), key=lambda rate: rate.workers)


def fits(workers: int, peak_bytes: int, free_bytes: int) -> bool:
    """Say whether so many processes have room, each with a quarter more than was seen: libraries need some too."""
    return workers * peak_bytes * 5 // 4 <= free_bytes
