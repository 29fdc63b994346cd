"""MLflow's model registry: trained networks as versions of one model, the best of them under the alias `champion`.

A version holds the network as a `torch.export` program, which MLflow loads by itself, and next to it, for
`nasgem predict` and `nasgem export`, its card and its weights as safetensors. Nothing is pickled.
"""

import json
import math
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasgem_core.deployment.folders import CARD_FILE, WEIGHTS
from nasgem_core.deployment.quiet import quiet
from nasgem_core.digest import arrays_digest
from nasgem_core.errors import DataError, ParameterError
from tasks.mlflow_registry.registered_detector import EXTRA_FILES
from tasks.mlflow_registry.registered_model import Candidate, write_model
from tasks.mlflow_runs.delivery import KIND_TAG, MLFLOW_PARENT_TAG
from tasks.mlflow_runs.logged_model import add_model
from tasks.mlflow_runs.models import DIGEST_TAG
from tasks.mlflow_runs.opened_to_read import opened_to_read
from tasks.mlflow_runs.tracking import answering, opened, provenance, tracking_uri
from tasks.mlflow_runs.tracking_store import open_experiment

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"
DATA_TAG, NETWORK_TAG, CELL_TAG, METRICS_TAG = "nasgem.data", "nasgem.network", "nasgem.cell", "nasgem.metrics"
_REFERENCE = re.compile(r"(?:models:/)?(?P<model>[\w.-]+)(?:@(?P<alias>[\w.-]+)|/(?P<version>\d+))")
_LONGEST_TAG = 5000
_ALL = "registrations"
"""Kind of the run that those of single networks are below."""


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
    root: Path, model: str, candidate: Candidate, *, data: str, run_id: str | None = None
) -> Registered:
    """Make a trained network a version of a registered model, and let `champion` point to the best version.

    Only versions that were measured on the same data are compared. A network with the same weights, description and
    data is registered once, however often this is called.

    Args:
        root: the repository, whose tracking place is used.
        model: name of the registered model, such as the stage that trains it.
        candidate: the network, what describes it, and what it reached.
        data: what it was measured on, such as a content hash of the validation images.
        run_id: the MLflow run that trained it; where there is none, one is made for it.

    Raises:
        ParameterError: the metrics lack the measure.
        NasgemError: MLflow cannot be reached.
    """
    if candidate.measure not in candidate.metrics:
        names = ", ".join(candidate.metrics) or "none"
        raise ParameterError(f"{candidate.name} has no metric {candidate.measure!r}: it has {names}")
    uri = tracking_uri(root)
    with opened(uri) as client:
        experiment = open_experiment(client, uri, root)
        _make_model(client, model)
    digest = arrays_digest(_arrays(candidate), f"{candidate.name}\0{candidate.document}\0{data}")
    with answering(uri), quiet():
        known = {version.tags.get(DIGEST_TAG): version for version in _versions(client, model)}
        if digest not in known:
            run_id = run_id or _make_run(client, experiment, root, candidate.name)
            logged = _log_model(client, run_id, candidate)
            tags = {DIGEST_TAG: digest, DATA_TAG: data, **_tags(candidate)}
            known[digest] = client.create_model_version(
                model, logged.artifact_location, run_id, tags=tags, description=candidate.name, model_id=logged.model_id
            )
        version = int(known[digest].version)
        best = _best(_versions(client, model), data, candidate.measure)
        client.set_registered_model_alias(model, CHAMPION, str(best))
    return Registered(model, version, best == version)


def is_reference(text: str) -> bool:
    """Say whether a text has the form of a registered version, `NAME@alias` or `NAME/version`, and is not a path."""
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
        raise DataError(f"{reference} is not the name of a registered model: write it as NAME@{CHAMPION} or NAME/1")
    with opened_to_read(root) as (client, uri), quiet():
        version = _find(client, match)
        import mlflow.artifacts

        paths = []
        for name in (CARD_FILE, WEIGHTS):
            source = f"{client.get_model_version_download_uri(version.name, version.version)}/{EXTRA_FILES}/{name}"
            try:
                paths.append(Path(mlflow.artifacts.download_artifacts(source, dst_path=str(folder), tracking_uri=uri)))
            except Exception as error:  # each kind of store fails with errors of its own
                raise DataError(f"{reference} has no {name}: it was not registered by nasgem") from error
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
        none = "there is none yet; the stages imagenet and coco register what they train"
        known = f"there are {', '.join(names)}" if names else none
        raise DataError(f"no registered model is called {model!r}: {known}") from None
    versions = ", ".join(str(version.version) for version in _versions(client, model))
    raise DataError(f"there is no {match[0]}: {model} has the versions {versions}, the best as {model}@{CHAMPION}")


def _make_model(client: "MlflowClient", model: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(model, description="Networks trained by nasgem; the best one is @champion.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _make_run(client: "MlflowClient", experiment: str, root: Path, name: str) -> str:
    """Make a run that a version can name as its origin, below one run for all of them."""
    found = client.search_runs([experiment], f"tags.`{KIND_TAG}` = '{_ALL}'", max_results=1)
    if found:
        parent = found[0].info.run_id
    else:
        parent = client.create_run(experiment, tags={KIND_TAG: _ALL}, run_name="registered networks").info.run_id
        client.set_terminated(parent)
    tags = {KIND_TAG: "registration", MLFLOW_PARENT_TAG: parent, **provenance(root)}
    run_id = client.create_run(experiment, tags=tags, run_name=f"register {name}").info.run_id
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
    found = [json.loads(version.tags.get(METRICS_TAG, "{}")).get(measure) for version in measured]
    # AP has no value where there is no object to be found.
    values = [float("-inf") if value is None or math.isnan(value) else value for value in found]
    return int(measured[values.index(max(values))].version)


def _tags(candidate: Candidate) -> dict[str, str]:
    tags = {NETWORK_TAG: candidate.name, METRICS_TAG: json.dumps(dict(candidate.metrics))}
    # A cell that is too long for a tag is in the description.
    return tags | ({CELL_TAG: candidate.cell} if 0 < len(candidate.cell) <= _LONGEST_TAG else {})


def _arrays(candidate: Candidate) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in candidate.weights.items()}


def _log_model(client: "MlflowClient", run_id: str, candidate: Candidate) -> Any:
    """Log the network as an output of a run, with its metrics; returns the logged model."""
    from mlflow.entities import LoggedModelOutput, Metric

    name, tags = candidate.name.replace(" ", "-"), {NETWORK_TAG: candidate.name}
    logged = add_model(client, client.get_run(run_id), name, tags, lambda *place: write_model(candidate, *place))
    moment = round(time.time() * 1000)
    metrics = [
        Metric(key, float(value), moment, 0, model_id=logged.model_id, run_id=run_id)
        for key, value in candidate.metrics.items()
    ]
    client.log_batch(run_id, metrics)
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return logged
