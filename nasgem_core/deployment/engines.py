"""What runs a network when its latency is measured: PyTorch, or ONNX Runtime on the CPU."""

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nasgem_core.deployment.fast_form import ENGINES, TORCH, fast_form
from nasgem_core.deployment.originals import Classifier
from nasgem_core.deployment.programs import capture, open_onnx, save_onnx
from nasgem_core.errors import ParameterError
from nasgem_core.networks.layout import IMAGE_CHANNELS


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
    return quick if engine == TORCH else OnnxNetwork(quick, name, image_size, threads)


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
