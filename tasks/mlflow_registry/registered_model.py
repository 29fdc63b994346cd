"""What a version of a registered model holds: an MLflow model without pickle, and with it description and weights."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasgem_core.deployment.card import NetworkCard
from nasgem_core.deployment.folders import CARD_FILE, WEIGHTS, write_network
from nasgem_core.detection.spec import DetectorSpec
from tasks.mlflow_registry.registered_detector import COLUMNS, EXTRA_FILES, MODULE
from tasks.mlflow_runs.logged_model import description_of, requirements, save_program

if TYPE_CHECKING:
    from torch import Tensor

Weights = Mapping[str, "Tensor | np.ndarray"]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A trained network on its way into the registry.

    Args:
        name: of the network.
        document: what rebuilds it, JSON.
        cell: its cell as JSON, empty where it has none.
        weights: its state dict, on the CPU.
        metrics: what was measured of it.
        measure: the metric by which the best network is found; higher is better.
        save: writes the MLflow model into a folder; takes the folder, the logged model and the extra files.
    """

    name: str
    document: str
    cell: str
    weights: "Mapping[str, Tensor]"
    metrics: Mapping[str, float]
    measure: str
    save: Callable[[Path, Any, Sequence[Path]], None]


def classifier_candidate(card: NetworkCard, weights: Weights, measure: str = "top1") -> Candidate:
    """Return a classifier: MLflow loads it by itself, as a `torch.export` program.

    Raises:
        DataError: the weights do not fit the card's network.
    """
    from nasgem_core.deployment.specs import load_network

    tensors = _tensors(weights)
    network = load_network(card, tensors)
    shapes = (3, card.image_size, card.image_size), (len(card.classes),)

    def save(folder: Path, logged: Any, extra: Sequence[Path]) -> None:
        import torch

        with torch.no_grad():
            save_program(network, folder, logged, shapes, extra)

    return Candidate(
        name=card.name,
        document=card.to_json(),
        cell=_cell(card.network),
        weights=tensors,
        metrics=card.metrics,
        measure=measure,
        save=save,
    )


def detector_candidate(
    spec: DetectorSpec, weights: Weights, metrics: Mapping[str, float], name: str, measure: str = "AP"
) -> Candidate:
    """Return a detector, which MLflow loads by `tasks.mlflow_registry.registered_detector`.

    Raises:
        DataError: the weights do not fit the detector.
    """
    from nasgem_core.deployment.detectors import load_detector

    tensors = _tensors(weights)
    load_detector(spec, tensors)

    def save(folder: Path, logged: Any, extra: Sequence[Path]) -> None:
        import mlflow.pyfunc
        from mlflow.models import ModelSignature
        from mlflow.types import ColSpec, Schema, TensorSpec

        kinds = {"object": "string"}
        mlflow.pyfunc.save_model(
            folder,
            loader_module=MODULE,
            mlflow_model=description_of(logged),
            signature=ModelSignature(
                Schema([TensorSpec(np.dtype(np.uint8), (-1, -1, 3))]),
                Schema([ColSpec(kinds.get(name, "double"), name) for name in COLUMNS]),
            ),
            input_example=np.zeros((spec.settings.short_side, spec.settings.long_side, 3), np.uint8),
            pip_requirements=requirements("torchvision"),
        )
        (folder / EXTRA_FILES).mkdir()
        for path in extra:
            path.rename(folder / EXTRA_FILES / path.name)

    return Candidate(
        name=name,
        document=spec.to_json(),
        cell=_cell(spec.backbone.to_dict()),
        weights=tensors,
        metrics=metrics,
        measure=measure,
        save=save,
    )


def write_model(candidate: Candidate, folder: Path, logged: Any) -> None:
    """Write the MLflow model of a candidate into `folder`, which is not there yet; its files pass next to it."""
    write_network(folder.parent, candidate.document, candidate.weights)
    candidate.save(folder, logged, [folder.parent / name for name in (CARD_FILE, WEIGHTS)])


def _tensors(weights: Weights) -> "dict[str, Tensor]":
    import torch

    return {name: torch.as_tensor(array).detach().cpu().contiguous() for name, array in weights.items()}


def _cell(network: Mapping[str, Any]) -> str:
    return json.dumps(network["cell"]) if "cell" in network else ""
