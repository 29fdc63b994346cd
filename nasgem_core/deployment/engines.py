"""What runs a network when its latency is measured: PyTorch, a CUDA graph of it, or ONNX Runtime on the CPU."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nasgem_core.deployment.fast_form import CUDA_GRAPH, ENGINES, TORCH, fast_form
from nasgem_core.deployment.originals import Classifier
from nasgem_core.deployment.programs import capture, open_onnx, save_onnx
from nasgem_core.errors import ParameterError
from nasgem_core.networks.layout import IMAGE_CHANNELS
from nasgem_core.training.replay import Replay


def for_engine(network: nn.Module, name: str, image_size: tuple[int, int], engine: str, threads: int) -> nn.Module:
    """Return the fast form of a classifier, run by an engine.

    Args:
        network: the classifier.
        name: what it is called in messages.
        image_size: height and width of its images.
        engine: one of `ENGINES`.
        threads: of the CPU, for onnxruntime.

    Raises:
        ParameterError: the engine is unknown.
        DataError: the network cannot be written as ONNX.
    """
    if engine not in ENGINES:
        raise ParameterError(f"engine = {engine!r}: choose one of {', '.join(ENGINES)}")
    quick = fast_form(network, engine)
    if engine == CUDA_GRAPH:
        return GraphNetwork(quick)
    return quick if engine == TORCH else OnnxNetwork(quick, name, image_size, threads)


class GraphNetwork(nn.Module):
    """A network that is replayed as a CUDA graph, on the same images again and again.

    Args:
        network: gives the logits of images.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self._images: Tensor | None = None
        self._logits: Tensor | None = None
        self._replay = Replay(self._run)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of images, which are always the same tensor; the next call overwrites them.

        Raises:
            RuntimeError: the network does what a graph cannot hold.
        """
        if images is not self._images:
            self._images, self._replay = images, Replay(self._run)
        if images.device.type == "cuda":
            self._on_a_stream(images.device)
        else:
            self._replay()
        if self._replay.fault:
            raise RuntimeError(f"not as a CUDA graph: {self._replay.fault}")
        assert self._logits is not None
        return self._logits

    def _run(self) -> None:
        self._logits = self.network(self._images)

    def _on_a_stream(self, device: torch.device) -> None:
        """Replay on a stream of our own: the one that is current by default cannot be captured."""
        current, stream = torch.cuda.current_stream(device), _stream(device)
        stream.wait_stream(current)
        with torch.cuda.stream(stream):
            self._replay()
        current.wait_stream(stream)


@cache
def _stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)


class OnnxNetwork(nn.Module):
    """A network in onnxruntime, as it is; the arguments are those of `for_engine`, and so is the error."""

    def __init__(self, network: nn.Module, name: str, image_size: tuple[int, int], threads: int) -> None:
        super().__init__()
        self._session = _opened(network, name, image_size, threads)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of images."""
        (logits,) = self._session.run(None, {"images": images.numpy()})
        return torch.from_numpy(logits)


def _opened(network: nn.Module, name: str, image_size: tuple[int, int], threads: int) -> Any:
    example = torch.zeros(2, IMAGE_CHANNELS, *image_size)
    program = capture(network, name, (example,), ({0: torch.export.Dim("batch")},))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        save_onnx(program, name, path, {}, Classifier.ports)
        return open_onnx(path, threads)
