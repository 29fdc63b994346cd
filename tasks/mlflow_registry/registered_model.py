"""What a version of a registered model holds: an MLflow model without pickle, and beside it description and weights."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasgem_core.deployment.card import NetworkCard
from nasgem_core.detection.spec import DetectorSpec
from tasks.mlflow_registry.model_files import DESCRIPTION_FILE, EXTRA_FILES, WEIGHTS_FILE

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
        save: writes the MLflow model into a folder; takes the folder, the logged model and the extra files.
    """

    name: str
    document: str
    cell: str
    weights: "Mapping[str, Tensor]"
    metrics: Mapping[str, float]
    save: Callable[[Path, Any, list[str]], None]


def classifier_candidate(card: NetworkCard, weights: Weights) -> Candidate:
    """Return a classifier: MLflow loads it by itself, as a `torch.export` program.

    Raises:
        DataError: the weights are not those of the card's network.
    """
    from nasgem_core.deployment.specs import load_network

    tensors = _tensors(weights)
    network = load_network(card, tensors)

    def save(folder: Path, logged: Any, extra: list[str]) -> None:
        import mlflow.pytorch
        import torch
        from mlflow.models import ModelSignature
        from mlflow.types import Schema, TensorSpec

        size, kind = card.image_size, np.dtype(np.float32)
        with torch.no_grad():
            mlflow.pytorch.save_model(
                network,
                folder,
                mlflow_model=_model_of(logged),
                signature=ModelSignature(
                    Schema([TensorSpec(kind, (-1, 3, size, size))]), Schema([TensorSpec(kind, (-1, len(card.classes)))])
                ),
                # Two images: torch.export fixes their number at one where the example has one.
                input_example=np.zeros((2, 3, size, size), np.float32),
                extra_files=extra,
                serialization_format="pt2",
                pip_requirements=_requirements(),
            )

    return Candidate(card.name, card.to_json(), _cell(card.network), tensors, card.metrics, save)


def detector_candidate(spec: DetectorSpec, weights: Weights, metrics: Mapping[str, float], name: str) -> Candidate:
    """Return a detector, which MLflow loads by `tasks.mlflow_registry.registered_detector`.

    Raises:
        DataError: the weights are another detector's.
    """
    from nasgem_core.deployment.detectors import load_detector

    tensors = _tensors(weights)
    load_detector(spec, tensors)

    def save(folder: Path, logged: Any, extra: list[str]) -> None:
        import mlflow.pyfunc
        from mlflow.models import ModelSignature
        from mlflow.types import ColSpec, Schema, TensorSpec

        from tasks.mlflow_registry import registered_detector

        kinds = {"object": "string"}
        mlflow.pyfunc.save_model(
            folder,
            loader_module=registered_detector.__name__,
            mlflow_model=_model_of(logged),
            signature=ModelSignature(
                Schema([TensorSpec(np.dtype(np.uint8), (-1, -1, 3))]),
                Schema([ColSpec(kinds.get(name, "double"), name) for name in registered_detector.COLUMNS]),
            ),
            input_example=np.zeros((spec.settings.short_side, spec.settings.long_side, 3), np.uint8),
            pip_requirements=_requirements("torchvision"),
        )
        (folder / EXTRA_FILES).mkdir()
        for path in map(Path, extra):
            path.rename(folder / EXTRA_FILES / path.name)

    return Candidate(name, spec.to_json(), _cell(spec.backbone.to_dict()), tensors, metrics, save)


def write_model(candidate: Candidate, folder: Path, logged: Any) -> Path:
    """Write the MLflow model of a candidate below `folder`; returns its own folder."""
    from nasgem_core.deployment.folders import write_network

    write_network(folder, candidate.document, candidate.weights)
    candidate.save(folder / "model", logged, [str(folder / DESCRIPTION_FILE), str(folder / WEIGHTS_FILE)])
    return folder / "model"


def _model_of(logged: Any) -> Any:
    from mlflow.models import Model

    return Model(
        artifact_path=logged.artifact_location,
        run_id=logged.source_run_id,
        model_id=logged.model_id,
        model_uuid=logged.model_id,
    )


def _requirements(*others: str) -> list[str]:
    """Return what the model needs; MLflow would otherwise load it in a subprocess to find that."""
    return [f"{name}=={version(name).split('+')[0]}" for name in ("torch", "mlflow", *others)]


def _tensors(weights: Weights) -> "dict[str, Tensor]":
    import torch

    return {name: torch.as_tensor(array).detach().cpu().contiguous() for name, array in weights.items()}


def _cell(network: Mapping[str, Any]) -> str:
    return json.dumps(network["cell"]) if "cell" in network else ""
