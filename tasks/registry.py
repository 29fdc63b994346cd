"""MLflow's model registry: trained networks as versions of one model, the best of them under the alias `champion`.

A version holds the network as a `torch.export` program, which MLflow loads by itself, and beside it, for
`nasgem predict` and `nasgem export`, its card and its weights as safetensors. Nothing is pickled.
"""

import hashlib
import json
import logging
import re
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasgem_core.deployment.card import NetworkCard
from nasgem_core.errors import DataError, ParameterError
from tasks.models import DIGEST_TAG
from tasks.tracking import answering, opened, provenance, tracking_uri
from tasks.tracking_store import open_experiment

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from torch import Tensor

CHAMPION = "champion"
DATA_TAG, NETWORK_TAG, CELL_TAG, METRICS_TAG = "nasgem.data", "nasgem.network", "nasgem.cell", "nasgem.metrics"
CARD_FILE, WEIGHTS_FILE = "network.json", "weights.safetensors"
_REFERENCE = re.compile(r"(?:models:/)?(?P<model>[\w.-]+)(?:@(?P<alias>[\w.-]+)|/(?P<version>\d+))")
_LONGEST_TAG = 5000


@dataclass(frozen=True)
class Registered:
    """A version of a registered model.

    Args:
        model: name of the model.
        version: its number.
        champion: whether the alias `champion` points to it.
    """

    model: str
    version: int
    champion: bool


def register_network(
    root: Path,
    model: str,
    card: NetworkCard,
    weights: Mapping[str, "Tensor"],
    *,
    data: str,
    measure: str = "top1",
    run_id: str | None = None,
) -> Registered:
    """Make a trained network a version of a registered model, and let `champion` point to the best version.

    Only versions that were measured on the same data are compared. A network with the same weights, card and data is
    registered once, however often this is called.

    Args:
        root: the repository, whose tracking place is used.
        model: name of the registered model, such as the stage that trains it.
        card: what the network is, reads and reached.
        weights: its state dict.
        data: what it was measured on, such as a content hash of the validation images.
        measure: the metric of the card by which the best is found; higher is better.
        run_id: the MLflow run that trained it; one is made for it where there is none.

    Raises:
        ParameterError: the card lacks the measure.
        DataError: the weights are not those of the card's network.
        NasgemError: MLflow cannot be reached.
    """
    if measure not in card.metrics:
        raise ParameterError(f"{card.name} has no metric {measure!r}: it has {', '.join(card.metrics) or 'none'}")
    uri = tracking_uri(root)
    with opened(uri) as client:
        experiment = open_experiment(client, uri, root)
        _make_model(client, model)
    digest = _digest(card, weights, data)
    with answering(uri), _quiet():
        known = {version.tags.get(DIGEST_TAG): version for version in _versions(client, model)}
        if digest not in known:
            run_id = run_id or _make_run(client, experiment, root, card)
            logged = _log_model(client, experiment, run_id, card, weights)
            tags = _tags(card, data, digest)
            known[digest] = client.create_model_version(
                model, logged.artifact_location, run_id, tags=tags, description=card.name, model_id=logged.model_id
            )
        version = int(known[digest].version)
        best = _best(_versions(client, model), data, measure)
        client.set_registered_model_alias(model, CHAMPION, str(best))
    return Registered(model, version, best == version)


def is_reference(text: str) -> bool:
    """Say whether a text has the form of a registered version, `NAME@alias` or `NAME/version`, and is no path."""
    return bool(_REFERENCE.fullmatch(text)) and not Path(text).exists()


def download_registered(root: Path, reference: str, folder: Path) -> tuple[Path, Path]:
    """Bring card and weights of a registered version into a folder; returns their paths.

    Args:
        root: the repository, whose tracking place is used.
        reference: `NAME@alias` or `NAME/version`, with or without `models:/` before it.
        folder: where to put them.

    Raises:
        DataError: there is no such version, or it was not registered by this package.
        NasgemError: MLflow cannot be reached.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise DataError(f"{reference} names no registered model: write it as NAME@{CHAMPION} or NAME/1")
    uri = tracking_uri(root)
    with opened(uri) as client:
        pass
    with answering(uri), _quiet():
        version = _find(client, match)
        import mlflow.artifacts

        paths = []
        for name in (CARD_FILE, WEIGHTS_FILE):
            source = f"{client.get_model_version_download_uri(version.name, version.version)}/extra_files/{name}"
            try:
                paths.append(Path(mlflow.artifacts.download_artifacts(source, dst_path=str(folder), tracking_uri=uri)))
            except Exception as error:  # each kind of store fails with errors of its own
                raise DataError(f"{reference} holds no {name}: it was not registered by nasgem") from error
    return paths[0], paths[1]


def _find(client: "MlflowClient", match: re.Match[str]) -> Any:
    from mlflow.exceptions import MlflowException

    model, alias, number = match["model"], match["alias"], match["version"]
    try:
        if alias:
            return client.get_model_version_by_alias(model, alias)
        return client.get_model_version(model, number)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
    names = [found.name for found in client.search_registered_models()]
    if model not in names:
        known = f"known are {', '.join(names)}" if names else "none is there: the stage imagenet registers networks"
        raise DataError(f"no registered model is called {model!r}: {known}") from None
    versions = ", ".join(str(version.version) for version in _versions(client, model))
    raise DataError(f"{match[0]} is not there: {model} has the versions {versions}, the best as {model}@{CHAMPION}")


def _make_model(client: "MlflowClient", model: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(model, description="Networks trained by nasgem; the best one is @champion.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _make_run(client: "MlflowClient", experiment: str, root: Path, card: NetworkCard) -> str:
    tags = {"nasgem.kind": "registration", **provenance(root)}
    run_id = client.create_run(experiment, tags=tags, run_name=f"register {card.name}").info.run_id
    client.set_terminated(run_id)
    return run_id


def _versions(client: "MlflowClient", model: str) -> list[Any]:
    """Return all versions, oldest first."""
    found: list[Any] = []
    token = None
    while True:
        page = client.search_model_versions(f"name = '{model}'", page_token=token)
        found += page
        token = page.token
        if not token:
            return sorted(found, key=lambda version: int(version.version))


def _best(versions: list[Any], data: str, measure: str) -> int:
    """Return the number of the version with the highest measure on this data; of equal ones the oldest."""
    measured = [version for version in versions if version.tags.get(DATA_TAG) == data]
    values = [json.loads(version.tags.get(METRICS_TAG, "{}")).get(measure, float("-inf")) for version in measured]
    return int(measured[values.index(max(values))].version)


def _tags(card: NetworkCard, data: str, digest: str) -> dict[str, str]:
    tags = {DIGEST_TAG: digest, DATA_TAG: data, NETWORK_TAG: card.name, METRICS_TAG: json.dumps(dict(card.metrics))}
    cell = json.dumps(card.network.get("cell", ""))
    # What is too long for a tag can be read in the card.
    return tags | ({CELL_TAG: cell} if 2 < len(cell) <= _LONGEST_TAG else {})


def _digest(card: NetworkCard, weights: Mapping[str, "Tensor"], data: str) -> str:
    digest = hashlib.sha256(f"{card.to_json()}\0{data}".encode())
    for name, tensor in sorted(weights.items()):
        digest.update(f"{name}{tuple(tensor.shape)}".encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _log_model(
    client: "MlflowClient", experiment: str, run_id: str, card: NetworkCard, weights: Mapping[str, "Tensor"]
) -> Any:
    """Log the network as an output of a run, with its metrics; returns the logged model."""
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Metric

    logged = client.create_logged_model(experiment, card.name.replace(" ", "-"), run_id, tags={NETWORK_TAG: card.name})
    with tempfile.TemporaryDirectory() as folder:
        _save(card, weights, Path(folder), logged)
        client.log_model_artifacts(logged.model_id, str(Path(folder, "model")))
    client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    moment = round(time.time() * 1000)
    metrics = [
        Metric(name, float(value), moment, 0, model_id=logged.model_id, run_id=run_id)
        for name, value in card.metrics.items()
    ]
    client.log_batch(run_id, metrics)
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return logged


def _save(card: NetworkCard, weights: Mapping[str, "Tensor"], folder: Path, logged: Any) -> None:
    import mlflow.pytorch
    import safetensors.torch
    import torch
    from mlflow.models import Model, ModelSignature
    from mlflow.types import Schema, TensorSpec

    from nasgem_core.deployment.specs import load_network

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    network = load_network(card, tensors)
    (folder / CARD_FILE).write_text(card.to_json() + "\n", encoding="utf-8")
    safetensors.torch.save_file(tensors, folder / WEIGHTS_FILE, metadata={"card.json": card.to_json()})
    size, kind = card.image_size, np.dtype(np.float32)
    with torch.no_grad():
        mlflow.pytorch.save_model(
            network,
            folder / "model",
            mlflow_model=Model(
                artifact_path=logged.artifact_location,
                run_id=logged.source_run_id,
                model_id=logged.model_id,
                model_uuid=logged.model_id,
            ),
            signature=ModelSignature(
                Schema([TensorSpec(kind, (-1, 3, size, size))]),
                Schema([TensorSpec(kind, (-1, len(card.classes)))]),
            ),
            # Two images: torch.export fixes their number at one where the example has one.
            input_example=np.zeros((2, 3, size, size), np.float32),
            extra_files=[str(folder / CARD_FILE), str(folder / WEIGHTS_FILE)],
            serialization_format="pt2",
            # Named, because MLflow would otherwise load the model in a subprocess to find them.
            pip_requirements=[f"torch=={torch.__version__.split('+')[0]}", f"mlflow=={mlflow.__version__}"],
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the warnings and log lines of MLflow and torch.export off the screen."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
