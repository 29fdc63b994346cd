"""One Python file that rebuilds a network with torch alone, a detector with torchvision too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nasgem_core.deployment.detector_file import detector_file
from nasgem_core.deployment.form import Form, Handling
from nasgem_core.deployment.originals import Classifier, WholeDetector
from nasgem_core.deployment.sources import source_of


def write_classifier(original: Classifier, path: Path) -> None:
    """Write the source of the network; raises `DataError` where it cannot be written as Python."""
    path.write_text(source_of(original.card, original.spec, original.network), encoding="utf-8")


def write_detector(original: WholeDetector, path: Path) -> None:
    """Write the source of the detector; raises `DataError` where its backbone cannot be written as Python."""
    path.write_text(detector_file(original.spec, original.network), encoding="utf-8")


def run(path: Path, *threshold: np.ndarray) -> Callable[[np.ndarray], list[np.ndarray]]:
    """Import the file and build the network with the weights next to it."""
    import importlib.util

    import torch

    spec = importlib.util.spec_from_file_location("network", path)
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if threshold:
        module.SCORE_THRESHOLD = float(threshold[0])
    network = module.build(path.with_name("weights.safetensors"))

    def call(array: np.ndarray) -> list[np.ndarray]:
        with torch.no_grad():
            if not threshold:
                return [network(torch.from_numpy(array)).numpy()]
            (found,) = network([torch.from_numpy(array)])
            return [found[name].numpy() for name in ("boxes", "labels", "scores")]

    return call


FORM = Form(
    name="python",
    label="the Python file",
    file="network.py",
    classifier=Handling(write_classifier, run, takes=("images",)),
    detector=Handling(write_detector, run, takes=("picture",), needs=("torchvision",)),
    partial=True,
)
