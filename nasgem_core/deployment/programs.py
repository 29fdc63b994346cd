"""Programs of a network that run without its Python code: `torch.export` and ONNX."""

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nasgem_core.deployment.quiet import quiet
from nasgem_core.errors import DataError

CARD_KEY = "card.json"
"""Name inside both files of the document that rebuilds the network."""
OPSET = 20


def capture(network: nn.Module, name: str, inputs: tuple[Tensor, ...], free: Any = None) -> Any:
    """Return the `torch.export` program of a network in evaluation mode.

    Args:
        network: what is captured.
        name: what it is called in messages.
        inputs: an example of what it takes.
        free: which of their dimensions may have other lengths, as `dynamic_shapes` of `torch.export.export`.

    Raises:
        DataError: the network cannot be captured; what torch says is in the message.
    """
    with quiet(), _saying(name, "torch.export"), torch.no_grad():
        return torch.export.export(network.eval(), inputs, dynamic_shapes=free)


def save_program(program: Any, name: str, path: Path, notes: Mapping[str, str]) -> None:
    """Write a captured network as a `.pt2` file, with texts by their names inside."""
    content = io.BytesIO()  # where a disk is full, Torch's own writing to a file aborts the process
    with quiet(), _saying(name, "torch.export"):
        torch.export.save(program, content, extra_files=dict(notes))
    path.write_bytes(content.getbuffer())


@dataclass(frozen=True)
class Ports:
    """Names of what a program takes and gives.

    Args:
        inputs: in the order of its arguments.
        outputs: in the order of its results.
        length: of the one length that can vary in their shapes, such as "batch".
    """

    inputs: Sequence[str]
    outputs: Sequence[str]
    length: str


def save_onnx(program: Any, name: str, path: Path, notes: Mapping[str, str], ports: Ports) -> None:
    """Write a captured network as one ONNX file, with named inputs and outputs, and texts by their names inside."""
    with quiet(), _saying(name, "ONNX"):
        converted = torch.onnx.export(
            program,
            dynamo=True,
            opset_version=OPSET,
            input_names=ports.inputs,
            output_names=ports.outputs,
            verbose=False,
        )
        assert converted is not None
        converted.model.metadata_props.update(notes)
        _name_length(converted.model.graph, ports.length)
        converted.save(path, external_data=False)


def open_onnx(path: Path, threads: int = 1) -> Any:
    """Return onnxruntime's session of an ONNX file, on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _name_length(graph: Any, name: str) -> None:
    """Replace torch's own name of the length that varies, such as `s34` or `Min(100, u1 - 2)`, wherever it occurs."""
    ports = [*graph.inputs, *graph.outputs]
    free = {str(length) for port in ports for length in port.shape if not isinstance(length, int)}
    for value in (*ports, *(output for node in graph.all_nodes() for output in node.outputs)):
        for place, length in enumerate(value.shape or ()):
            if str(length) in free:
                value.shape[place] = name


@contextlib.contextmanager
def _saying(name: str, what: str) -> Iterator[None]:
    """Turn what an exporter raises, which can be any error, into one that names the network."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        raise DataError(f"{name} cannot be written by {what}: {lines[0]}") from error
