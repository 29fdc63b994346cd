"""Functions of tensors on a GPU, captured as CUDA graphs: a replay costs the host one call instead of one per kernel.

The functions take and return nothing. They read and write the same tensors in each call, do not wait for the device,
and do not depend on numbers of the host that change. The first calls run as they are, which has libraries choose their
kernels and optimisers make their state; they are part of the training, so nothing has to be undone. Then the function
is captured, which runs nothing, and from then on it is replayed.

Everything happens on one stream, that of the caller: a backward pass runs on the streams of its forward pass, and to
wait for another one would end the capture.
"""

import contextlib
from collections.abc import Callable

import torch

from nasgem_core.training.execution import lacks_memory

EAGER_CALLS = 3
"""Calls before a capture."""

Call = Callable[[], None]


class Replay:
    """A function that is replayed after its first calls.

    Args:
        function: what is called.
        capture: makes a replay of it; raises RuntimeError where that is impossible.
        eager_calls: calls before the capture.
    """

    def __init__(
        self, function: Call, capture: "Callable[[Call], Call] | None" = None, eager_calls: int = EAGER_CALLS
    ) -> None:
        self._function, self._capture, self._left = function, capture or capture_graph, eager_calls
        self._replay: Call | None = None
        self.fault = ""
        """Why the function could not be captured, and so goes on running as it is."""

    @property
    def is_captured(self) -> bool:
        """Whether calls are replays."""
        return self._replay is not None

    def __call__(self) -> None:
        """Call the function, or replay it."""
        if self._left > 0 or self.fault:
            self._left -= 1
            self._function()
            return
        if self._replay is None:
            try:
                self._replay = self._capture(self._function)
            except RuntimeError as error:
                if lacks_memory(error):
                    raise
                self.fault = (str(error).splitlines() or [type(error).__name__])[0]
        (self._replay or self._function)()


def capture_graph(function: Call) -> Call:
    """Return a replay of what a function does on the current stream, which must not be the default one.

    Raises:
        torch.OutOfMemoryError: the device has too little memory.
        RuntimeError: the function does what cannot be captured.
    """
    graph, pool, stream = torch.cuda.CUDAGraph(), torch.cuda.graph_pool_handle(), torch.cuda.current_stream()
    device = torch.cuda.current_device()
    numbers = torch.cuda.default_generators[device].clone_state()
    try:
        # Only this thread is held to what a capture allows: others may load images meanwhile.
        with torch.cuda.graph(graph, pool=pool, stream=stream, capture_error_mode="thread_local"):
            function()
    except RuntimeError as error:
        _forget_capture(device, pool, numbers)
        # Ending the capture fails as well, which would hide why.
        cause = error.__context__ if isinstance(error.__context__, RuntimeError) else error
        raise cause from None
    return graph.replay


def _forget_capture(device: int, pool: tuple[int, int], numbers: torch.Generator) -> None:
    """Have the allocator and the random numbers of a device not take a capture that failed for one that goes on.

    Torch before 2.12 leaves them so: it could then free no memory in this process, and draw no number (pull request
    180395). Later versions do this themselves, and refuse to do it twice.
    """
    with contextlib.suppress(RuntimeError):
        torch._C._cuda_endAllocateToPool(device, pool)
    torch.cuda.default_generators[device].graphsafe_set_state(numbers)
