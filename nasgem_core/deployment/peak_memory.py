"""Memory that one forward pass needs at its peak: weights, images and all feature maps alive at the same moment."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class _LiveStorages(TorchDispatchMode):
    """Counts the bytes of all tensors that are alive after each operation, and keeps the largest sum."""

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        super().__init__()
        self._live: dict[int, tuple[StorageWeakRef, int]] = {}
        self.peak = 0
        self._count(tensors)

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self._count(leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor))
        return result

    def _count(self, tensors: Iterable[Tensor]) -> None:
        for tensor in tensors:
            storage = tensor.untyped_storage()
            reference = StorageWeakRef(storage)
            self._live[reference.cdata] = reference, storage.nbytes()
        self._live = {key: entry for key, entry in self._live.items() if not entry[0].expired()}
        self.peak = max(self.peak, sum(size for _, size in self._live.values()))


def peak_memory(network: nn.Module, images: Tensor) -> int:
    """Return the bytes that a forward pass of `network` on `images` needs at its peak, both included.

    On CUDA it is what the allocator handed out, workspaces of the kernels included; on other devices it is counted
    from the tensors, so that it is the same in every run, and workspaces inside one operation are left out.
    """
    weights = [*network.parameters(), *network.buffers()]
    if images.device.type == "cuda":
        own = sum(tensor.untyped_storage().nbytes() for tensor in [*weights, images])
        torch.cuda.synchronize(images.device)
        torch.cuda.reset_peak_memory_stats(images.device)
        before = torch.cuda.memory_allocated(images.device)
        network(images)
        torch.cuda.synchronize(images.device)
        return torch.cuda.max_memory_allocated(images.device) - before + own
    with _LiveStorages([*weights, images]) as storages:
        network(images)
    return storages.peak
