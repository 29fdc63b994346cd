"""How many trainings share a GPU here: as many as were fastest when it was measured, and fit into its free memory."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from nasgem_core.config.documents import DocumentKind
from nasgem_core.errors import DataError
from nasgem_core.files import written_whole
from nasgem_core.training.worker_rates import WorkerRate, fits

FILE = Path(".nasgem") / "gpu_workers.json"
SCHEMA = "nasgem.gpu_workers/1"
_KIND = DocumentKind("a measurement of workers", SCHEMA, "run `nasgem gpu` again")


@dataclass(frozen=True)
class MeasuredWorkers:
    """How many trainings at a time a kind of GPU is fastest with.

    Args:
        device: name of the GPU.
        workers: processes that share it.
        peak_bytes: memory of the GPU that each holds at most.
    """

    device: str
    workers: int
    peak_bytes: int


def keep_workers(device: str, rate: WorkerRate) -> None:
    """Write what was measured of the GPU of this name."""
    document = {"schema": SCHEMA, **asdict(MeasuredWorkers(device, rate.workers, rate.peak_bytes))}
    with written_whole(FILE) as file:
        file.write((json.dumps(document, indent=2) + "\n").encode())


def workers_on(index: int) -> int:
    """Return how many trainings share the GPU of this number: one where nothing was measured of its kind."""
    try:
        measured = _KIND.read(MeasuredWorkers, _KIND.fields_of(_KIND.parse(FILE.read_bytes())))
    except (OSError, DataError):
        return 1
    if measured.device != torch.cuda.get_device_name(index):
        return 1
    free, _ = torch.cuda.mem_get_info(index)
    return max([1, *(count for count in range(1, measured.workers + 1) if fits(count, measured.peak_bytes, free))])
