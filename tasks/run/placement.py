"""Where work runs: device and number of workers. They are not parameters, because they must not change a result."""

import os
import re
from dataclasses import dataclass, field

from nasgem_core.errors import ParameterError

SLOT = "NASGEM_SLOT"
"""Environment variable that numbers the workers that run side by side, from 0; each worker sets its own."""


@dataclass(frozen=True)
class Placement:
    """A device, and the folder of the images; both are left out of cache keys."""

    device: str = field(default="cpu", metadata={"in_key": False})
    images: str = field(default="data/raw", metadata={"in_key": False})

    def own_device(self) -> str:
        """Return the device of this process: workers take several GPUs in turn."""
        if self.device != "cuda":
            return self.device
        import torch

        return f"cuda:{int(os.environ.get(SLOT, '0')) % torch.cuda.device_count()}"


def default_device() -> str:
    """Return `NASGEM_DEVICE`, or `cuda` where there is one, or `cpu`; raises `ParameterError` for an unusable one."""
    import torch

    wanted = os.environ.get("NASGEM_DEVICE", "")
    if not wanted:
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise ParameterError(f"device = {wanted!r}: no CUDA device is available here; use cpu")
    try:
        torch.empty(0, device=wanted)
    except (RuntimeError, AssertionError) as error:
        raise ParameterError(f"device = {wanted!r} cannot be used: {str(error).splitlines()[0]}") from None
    return wanted


def default_workers(device: str) -> int:
    """Return `NASGEM_WORKERS`, or one per core on the CPU, and on GPUs one each, or as many as `nasgem gpu` found."""
    wanted = os.environ.get("NASGEM_WORKERS", "")
    if wanted:
        if not re.fullmatch(r"0*[1-9]\d{0,3}", wanted, re.ASCII):
            raise ParameterError(f"workers = {wanted!r:.80}: must be a whole number of at least 1 and at most 9999")
        return int(wanted)
    if device.startswith("cuda"):
        import torch

        from tasks.run.gpu_workers import workers_on

        own = range(torch.cuda.device_count()) if device == "cuda" else [torch.device(device).index or 0]
        return len(own) * min(map(workers_on, own))  # workers take GPUs in turn, so each gets the same number
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def reader_processes(sharing: int) -> int:
    """Return how many processes read images for one GPU: the cores are shared by all GPUs of the machine.

    Args:
        sharing: processes that train together, used where `torchrun` does not say how many are on this machine.
    """
    if SLOT in os.environ:  # a worker, next to those of the other GPUs
        import torch

        sharing = max(sharing, torch.cuda.device_count())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(12, cores // int(os.environ.get("LOCAL_WORLD_SIZE", sharing)) - 1))
