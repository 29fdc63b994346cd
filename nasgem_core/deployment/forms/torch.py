"""A `torch.export` program: one file that torch runs without the network's Python code."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from nasgem_core.deployment.form import Form, Handling
from nasgem_core.deployment.originals import Original
from nasgem_core.deployment.programs import save_program


def write(original: Original, path: Path) -> None:
    """Save the captured network; raises `DataError` where that fails."""
    save_program(original.program, original.name, path, original.notes)


def run(path: Path, *threshold: np.ndarray) -> Callable[..., list[np.ndarray]]:
    """Open the file; its inputs are those of the captured network."""
    import torch

    if threshold:
        import torchvision  # noqa: F401 - a detector's program asks torch for torchvision's operations by name
    program = torch.export.load(path).module()

    def call(*arrays: np.ndarray) -> list[np.ndarray]:
        outputs = program(*map(torch.as_tensor, (*arrays, *threshold)))
        return [output.detach().numpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]

    return call


FORM = Form(
    name="torch",
    label="the torch.export program",
    file="network.pt2",
    classifier=Handling(write, run, takes=("images",)),
    detector=Handling(write, run, takes=("image", "size"), needs=("torchvision",)),
)
