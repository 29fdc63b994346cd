"""Processes that train one network together, as started by `torchrun`; for a single process all of this is a no-op."""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from nasgem_core.errors import NasgemError, ParameterError

_LOST = ("gloo", "nccl", "connection closed", "connection reset")
"""Words in errors that mean that another process has ended."""


@dataclass(frozen=True)
class World:
    """One of the processes that train together.

    Args:
        rank: its number; only process 0 writes files and reports.
        size: the number of processes.
        device: where it computes.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def sum(self, values: Sequence[float]) -> list[float]:
        """Return the sum of each value over all processes, the same on every process."""
        if self.size == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(total)
        return total.tolist()

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all processes in order of rank, the same on every process."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value)
        return values

    def share_first(self, tensors: Sequence[Tensor]) -> None:
        """Copy the values of process 0 to every process."""
        if self.size > 1:
            for tensor in tensors:
                dist.broadcast(tensor, 0)

    def wait(self) -> None:
        """Wait until all processes have called this."""
        if self.size > 1:
            dist.barrier()

    def local_gradients(self, model: nn.Module) -> AbstractContextManager[object]:
        """Return a context in which a module from `parallel` does not exchange its gradients."""
        return model.no_sync() if isinstance(model, nn.parallel.DistributedDataParallel) else nullcontext()

    def parallel(self, model: nn.Module, synchronise_statistics: bool = False) -> nn.Module:
        """Return a module whose gradients, and if asked for its batch statistics, are averaged over all processes."""
        if self.size == 1:
            return model
        if synchronise_statistics:
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        devices = [self.device] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(model, device_ids=devices)


@contextmanager
def open_world(device: str = "cpu") -> Iterator[World]:
    """Join the processes that `torchrun` has started, if any, and leave them at the end.

    Args:
        device: "cpu" or "cuda"; with "cuda" each process uses the GPU with its local rank.

    Raises:
        ParameterError: there are fewer GPUs than processes.
        NasgemError: another process ended before this one.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World(device=torch.device(device))
        return
    target = torch.device(device)
    if target.type == "cuda":
        local, gpus = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local >= gpus:
            raise ParameterError(f"--nproc-per-node: more processes than the {gpus} GPUs here; start {gpus}")
        target = torch.device("cuda", local)
        torch.cuda.set_device(target)
    if target.type == "cuda":
        dist.init_process_group("nccl", device_id=target)  # or NCCL would guess it from the rank
    else:
        dist.init_process_group("gloo")
    try:
        yield World(dist.get_rank(), size, target)
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or any(word in str(error).lower() for word in _LOST):
            raise NasgemError("another process of this training has ended: see its message for the reason") from error
        raise
    finally:
        dist.destroy_process_group()
