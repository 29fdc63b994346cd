"""Exported forms are held against the original, in a process that cannot import this package."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from nasgem_core.deployment import isolated
from nasgem_core.errors import DataError
from nasgem_core.networks.layout import IMAGE_CHANNELS

BATCHES = (1, 3)
"""Numbers of images of the random inputs: no form may be tied to one."""
TOLERANCE = 1e-4
"""Largest difference allowed, as a share of the largest output: float32 leaves about 1e-6."""
_SECONDS = 600


@dataclass(frozen=True)
class Difference:
    """How far an exported form is from the original.

    Args:
        form: `python`, `torch` or `onnx`.
        largest: the largest absolute difference of a value.
        output: the largest absolute value, to see the other by.
        values: what they are: `logits`, or `boxes` (in pixels) and `scores` of a detector.
    """

    form: str
    largest: float
    output: float
    values: str = "logits"


def check_forms(network: nn.Module, folder: Path, image_size: int, seed: int = 0) -> list[Difference]:
    """Compare every form in `folder` with `network` on random images; leaves nothing else in the folder.

    Raises:
        DataError: the network's outputs are not finite, or a form cannot be run without this package, or gives
            something else than the original.
    """
    generator = torch.Generator().manual_seed(seed)
    images = [torch.randn(size, IMAGE_CHANNELS, image_size, image_size, generator=generator) for size in BATCHES]
    with torch.no_grad():
        expected = [network(batch).numpy() for batch in images]
    if not all(np.isfinite(array).all() for array in expected):
        raise DataError("the network gives numbers that are not finite for random images: train it first")
    found = isolated_outputs(folder, {str(i): batch.numpy() for i, batch in enumerate(images)}, "classifier")
    forms = dict.fromkeys(name.partition(".")[0] for name in found)
    return [_compare(form, [found[f"{form}.{i}"] for i in range(len(images))], expected) for form in forms]


def isolated_outputs(folder: Path, arrays: Mapping[str, np.ndarray], kind: str) -> dict[str, np.ndarray]:
    """Return what the forms in `folder` give without this package; leaves nothing else in the folder.

    Args:
        folder: of the exported network.
        arrays: inputs by name, as `isolated` has them.
        kind: `classifier` or `detector`.

    Raises:
        DataError: a form cannot be run.
    """
    inputs, outputs = folder / "inputs.npz", folder / "outputs.npz"
    try:
        np.savez(inputs, allow_pickle=False, **arrays)
        _run_isolated(folder, kind)
        with np.load(outputs, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    finally:
        inputs.unlink(missing_ok=True)
        outputs.unlink(missing_ok=True)


def _run_isolated(folder: Path, kind: str) -> None:
    # -I: neither the environment nor the current folder adds to what can be imported; -B: no __pycache__ is left.
    command = [sys.executable, "-I", "-B", "-W", "ignore", isolated.__file__, str(folder.resolve()), kind]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise DataError(f"the exported network took more than {_SECONDS} s to check: use a smaller one") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise DataError(f"the exported network does not run in a process without this package: {lines[-1]}")


def _compare(form: str, found: list[np.ndarray], expected: list[np.ndarray]) -> Difference:
    shapes = [array.shape for array in found], [array.shape for array in expected]
    if shapes[0] != shapes[1]:
        raise DataError(f"the exported form {form!r} gives outputs of shapes {shapes[0]}, the original {shapes[1]}")
    return measured(form, "logits", found, expected)


def measured(form: str, values: str, found: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> Difference:
    """Return how far arrays of equal shapes are apart; raises `DataError` where that is more than `TOLERANCE`."""
    largest = max(float(np.abs(a - b).max(initial=0.0)) for a, b in zip(found, expected, strict=True))
    output = max(float(np.abs(array).max(initial=0.0)) for array in expected)
    if not largest <= TOLERANCE * output:
        raise DataError(
            f"the exported form {form!r} differs from the original by {largest:.3g}, where {values} reach "
            f"{output:.3g}: it was not written"
        )
    return Difference(form, largest, output, values)
