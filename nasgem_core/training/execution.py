"""How a training runs on its device: precision, determinism, and generators that depend only on the step."""

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import torch

from nasgem_core.errors import ParameterError
from nasgem_core.seeding import derive_seed
from nasgem_core.training.distributed import World


class Precision:
    """Mixed precision: what is computed in 16 bits, and the scale that keeps small gradients from vanishing.

    Args:
        name: auto, float32, bfloat16 or float16.
        device: where the network is.

    Raises:
        ParameterError: the precision is float16 on the CPU, where it has no advantage and would need scaled gradients.
    """

    def __init__(self, name: str, device: torch.device) -> None:
        cuda = device.type == "cuda"
        if name == "auto":
            # Older GPUs emulate bfloat16, which is slow.
            exact = cuda and torch.cuda.is_bf16_supported(including_emulation=False)
            name = ("bfloat16" if exact else "float16") if cuda else "float32"
        if name == "float16" and not cuda:
            raise ParameterError("precision = float16: needs a GPU; use bfloat16, float32 or auto")
        self.name, self._device = name, device.type
        self.scaler = torch.amp.GradScaler(device.type, enabled=name == "float16")

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """Return a context that computes convolutions and matrix products in this precision."""
        if self.name == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self._device, dtype=getattr(torch, self.name))


def lacks_memory(error: BaseException) -> bool:
    """Say whether an error of Torch means that a GPU has too little memory: its libraries have their own words."""
    words = "out of memory", "ALLOC_FAILED"
    return isinstance(error, RuntimeError) and any(each in str(error) for each in words)


def release_memory(device: torch.device) -> None:
    """Give back the memory of a GPU that this process keeps for itself: other processes may need it."""
    if device.type == "cuda":
        with contextlib.suppress(RuntimeError):  # some versions of Torch cannot after a CUDA graph that failed
            torch.cuda.empty_cache()


def seed_generators(seed: int, *parts: object) -> None:
    """Set the global generators of Python, NumPy and Torch to a state that depends only on the arguments."""
    value = derive_seed(seed, *parts)
    random.seed(value)
    np.random.seed(value % 2**32)
    torch.manual_seed(value)


@contextlib.contextmanager
def execution(world: World, deterministic: bool, equal_shapes: bool = True) -> Iterator[None]:
    """Set Torch up for a training; restore global generators and settings afterwards.

    Args:
        world: this process and its device.
        deterministic: reject operations whose result differs from run to run.
        equal_shapes: whether all batches have the same shape, so that it is worth searching for the fastest kernels.
    """
    devices = [world.device] if world.device.type == "cuda" else []
    states = random.getstate(), np.random.get_state()
    before = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    torch.use_deterministic_algorithms(deterministic)
    torch.backends.cudnn.benchmark = equal_shapes and not deterministic
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.use_deterministic_algorithms(before[0])
        torch.backends.cudnn.benchmark = before[1]
