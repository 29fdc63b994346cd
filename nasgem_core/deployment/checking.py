"""Exported forms are compared with the original, in a process that cannot import this package."""

import inspect
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from nasgem_core.deployment import isolated
from nasgem_core.deployment.form import Form
from nasgem_core.errors import DataError
from nasgem_core.networks.layout import IMAGE_CHANNELS
from nasgem_core.registry import plugin_packages

BATCHES = (1, 3)
"""Numbers of images of the random inputs: no form may be tied to one."""
TOLERANCE = 1e-4
"""Largest difference allowed, as a share of the largest output: float32 leaves about 1e-6."""
_CHANGE = 1e-7
"""How much pixels change, relative to their value, to see what rounding does: about the last digit of float32."""
_SECONDS = 600

Outputs = dict[str, list[list[np.ndarray]]]
"""What each form gives: its outputs for each example that it takes."""


@dataclass(frozen=True)
class Difference:
    """How far an exported form is from the original.

    Args:
        form: name of the form, such as `onnx`.
        largest: the largest absolute difference of a value.
        output: the largest absolute value, to compare the other with.
        values: what they are: `logits`, or `boxes` (in pixels) and `scores` of a detector.
    """

    form: str
    largest: float
    output: float
    values: str = "logits"


@dataclass(frozen=True, eq=False)
class Examples:
    """Random images, and what the forms of a classifier have to give for them.

    Args:
        images: batches of `BATCHES` images, [B, 3, S, S].
        logits: of the original for each batch.
    """

    images: Sequence[Tensor]
    logits: Sequence[np.ndarray]


def classifier_examples(network: nn.Module, image_size: int, seed: int = 0) -> Examples:
    """Return what forms can be compared on, before minutes of writing them.

    Raises:
        DataError: the network's outputs are not finite, or change with the last digits of the pixels, as those of very
            deep networks with fresh weights do: then they differ between forms as well.
    """
    generator = torch.Generator().manual_seed(seed)
    images = [torch.randn(size, IMAGE_CHANNELS, image_size, image_size, generator=generator) for size in BATCHES]
    with torch.no_grad():
        logits = [network(batch).numpy() for batch in images]
        changed = network(images[-1] * (1 + _CHANGE * torch.randn(images[-1].shape, generator=generator))).numpy()
    if not all(np.isfinite(array).all() for array in logits):
        raise DataError("the network gives numbers that are not finite for random images: train it first")
    largest, output = (float(np.abs(array).max(initial=0.0)) for array in (changed - logits[-1], logits[-1]))
    if not largest <= TOLERANCE * output:
        raise DataError(
            f"the network's logits change by {largest:.3g}, where they reach {output:.3g}, when pixels change in their "
            "last digit, so forms of it cannot be compared with it: train it first, or export a smaller cell"
        )
    return Examples(images, logits)


def check_forms(examples: Examples, folder: Path, forms: Sequence[Form]) -> list[Difference]:
    """Compare the forms in `folder` with the original on random images; leaves nothing else in the folder.

    Raises:
        DataError: a form cannot be run without this package, or gives something else than the original.
    """
    arrays = {f"images.{i}": batch.numpy() for i, batch in enumerate(examples.images)}
    found = isolated_outputs(folder, arrays, forms, "classifier")
    return [_compare(form, [logits for (logits,) in outputs], examples.logits) for form, outputs in found.items()]


def isolated_outputs(
    folder: Path, arrays: Mapping[str, np.ndarray], forms: Sequence[Form], kind: Literal["classifier", "detector"]
) -> Outputs:
    """Return what the forms in `folder` give without this package; leaves nothing else in the folder.

    Args:
        folder: of the exported network.
        arrays: `<name>.<i>` for what forms take of example i, and `threshold` for a detector.
        forms: those that were written.
        kind: of network.

    Raises:
        DataError: a form cannot be run.
    """
    inputs, outputs = folder / "inputs.npz", folder / "outputs.npz"
    try:
        np.savez(inputs, allow_pickle=False, **arrays)
        _run_isolated(folder, script_of(folder, forms, kind))
        with np.load(outputs, allow_pickle=False) as file:
            return _sorted_out({name: file[name] for name in file.files}, forms)
    finally:
        inputs.unlink(missing_ok=True)
        outputs.unlink(missing_ok=True)


def _sorted_out(arrays: Mapping[str, np.ndarray], forms: Sequence[Form]) -> Outputs:
    """Sort arrays called `<form>.<example>.<output>`, which are in the order of examples and outputs."""
    found: dict[str, dict[str, list[np.ndarray]]] = {form.name: {} for form in forms}
    for name, array in arrays.items():
        form, example, _ = name.split(".")
        found[form].setdefault(example, []).append(array)
    return {form: list(examples.values()) for form, examples in found.items()}


def script_of(folder: Path, forms: Sequence[Form], kind: Literal["classifier", "detector"]) -> str:
    """Return the script that runs the forms in `folder`: `isolated`, and each form's own function."""
    parts = [inspect.getsource(isolated)]
    for form in forms:
        handling = form.classifier if kind == "classifier" else form.detector
        words = f"{handling.run.__name__}, {form.file!r}, {handling.takes!r}, {handling.needs!r}"
        parts += [inspect.getsource(handling.run), f"RUNNERS[{form.name!r}] = Runner({words})"]
    parts.append(f"main(Path({str(folder.resolve())!r}), {(*isolated.SHUT_OUT, *plugin_packages())!r})\n")
    return "\n\n".join(parts)


def _run_isolated(folder: Path, script: str) -> None:
    # -I: neither the environment nor the current folder adds to what can be imported; -B: no __pycache__ is left.
    command = [sys.executable, "-I", "-B", "-W", "ignore", "-"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command,
            input=script,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DataError(f"the exported network took more than {_SECONDS} s to check: use a smaller one") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise DataError(f"the exported network does not run in a process without this package: {lines[-1]}")


def _compare(form: str, found: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> Difference:
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
