"""ONNX: one file that onnxruntime runs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from nasgem_core.deployment.form import Form, Handling
from nasgem_core.deployment.originals import Original
from nasgem_core.deployment.programs import save_onnx


def write(original: Original, path: Path) -> None:
    """Convert the captured network; raises `DataError` where that fails."""
    save_onnx(original.onnx_program, original.name, path, original.notes, original.ports)


def run(path: Path, *threshold: np.ndarray) -> Callable[..., list[np.ndarray]]:
    """Open the file; its inputs are those of the captured network."""
    import onnxruntime  # nothing of ours: exports are checked with this function's source, without this package

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [port.name for port in session.get_inputs()]
    return lambda *arrays: session.run(None, dict(zip(names, (*arrays, *threshold), strict=True)))


FORM = Form(
    name="onnx",
    label="the ONNX file",
    file="network.onnx",
    classifier=Handling(write, run, takes=("images",)),
    detector=Handling(write, run, takes=("image", "size")),
)
