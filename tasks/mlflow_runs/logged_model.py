"""Models of MLflow: how one is written, whichever network it is. None is pickled."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from torch import nn

Save = Callable[[Path, Any], None]
"""Writes the MLflow model of a logged model into a folder that is not there yet."""
_BESIDES = 2**21
"""Bytes that a model may take besides its weights, which its archive may hold twice."""


def add_model(client: "MlflowClient", run: Any, name: str, tags: Mapping[str, str], save: Save) -> Any:
    """Log a model of a run; returns the logged model. It is not ready before all of it is there."""
    from mlflow.entities import LoggedModelStatus

    logged = client.create_logged_model(run.info.experiment_id, name, run.info.run_id, tags=dict(tags))
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder, "model"), logged)
        client.log_model_artifacts(logged.model_id, str(Path(folder, "model")))
    return client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)


def save_program(
    network: "nn.Module", folder: Path, logged: Any, shapes: Sequence[tuple[int, ...]], files: Sequence[Path] = ()
) -> None:
    """Write a network as a `torch.export` program for any batch size, with signature and input example.

    Args:
        network: in evaluation mode; float32 in and out.
        folder: where to.
        logged: the logged model.
        shapes: of one input and of one output.
        files: kept in the model's folder `extra_files`.

    Raises:
        OSError: the disk has too little room for it.
    """
    _require_room(folder.parent, 2 * sum(tensor.nbytes for tensor in network.state_dict().values()) + _BESIDES)
    import mlflow.pytorch
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    kind = np.dtype(np.float32)
    inputs, outputs = (Schema([TensorSpec(kind, (-1, *shape))]) for shape in shapes)
    mlflow.pytorch.save_model(
        network,
        folder,
        mlflow_model=description_of(logged),
        signature=ModelSignature(inputs, outputs),
        # Two rows: torch.export fixes the batch size at one where the example has one row.
        input_example=np.zeros((2, *shapes[0]), kind),
        extra_files=[str(path) for path in files] or None,
        serialization_format="pt2",
        pip_requirements=requirements(),
    )


def _require_room(folder: Path, needed: int) -> None:
    """Raise the error of a full disk before Torch does: what it writes into a file aborts the process then."""
    if shutil.disk_usage(folder).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def description_of(logged: Any) -> Any:
    """Return what MLflow's `save_model` needs to know of a logged model."""
    from mlflow.models import Model

    return Model(
        artifact_path=logged.artifact_location,
        run_id=logged.source_run_id,
        model_id=logged.model_id,
        model_uuid=logged.model_id,
    )


def requirements(*others: str) -> list[str]:
    """Return the packages that a model needs; MLflow would otherwise load it in a subprocess to find them."""
    return [f"{name}=={version(name).split('+')[0]}" for name in ("torch", "mlflow", *others)]
