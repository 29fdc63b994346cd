"""Where MLflow keeps runs: a database and a folder of artifacts inside the repository, or the user's own server."""

import logging
import os
import sqlite3
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient

FOLDER = Path(".nasgem") / "mlflow"
OUTBOX = Path(".nasgem") / "outbox"
"""Both are in the repository, and git ignores them."""

EXPERIMENT = "nasgem"
"""All runs: MLflow nests and compares runs within one experiment."""


def set_environment() -> None:
    """Set the variables that MLflow reads and the user has not set; must run before MLflow is imported."""
    for name, value in {
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # the outbox tries again without holding up the search
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_LOGGING_LEVEL": "WARNING",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    }.items():
        os.environ.setdefault(name, value)
    # It prints a traceback for each failed statement, and also raises the error, which becomes our warning.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


def local_database(root: Path) -> Path:
    """Return the database of the repository at `root`, used where `MLFLOW_TRACKING_URI` names no other place."""
    return root.resolve() / FOLDER / "mlflow.db"


def _database_file(uri: str) -> Path | None:
    return Path(uri.removeprefix("sqlite:///")).absolute() if uri.startswith("sqlite:///") else None


def only_one_creates(uri: str) -> AbstractContextManager[Any]:
    """Return a lock under which a SQLite file may be opened: two processes creating its tables at once fail."""
    from filelock import FileLock

    database = _database_file(uri)
    if database is None:
        return nullcontext()
    database.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(f"{database}.lock")


def open_experiment(client: "MlflowClient", uri: str, root: Path) -> str:
    """Return the id of the experiment; creates or restores it, or follows the moved repository, where needed."""
    from mlflow.exceptions import MlflowException

    artifacts = _artifact_location(uri, root)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        try:
            # The kind spares the user a question about which of two pages the UI should show.
            return client.create_experiment(
                EXPERIMENT, artifacts, {"mlflow.experimentKind": "custom_model_development"}
            )
        except MlflowException:
            # Another process may have created it on the server in between; any other trouble shows again here.
            experiment = client.get_experiment_by_name(EXPERIMENT)
            if experiment is None:
                raise
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    if _database_file(uri) == local_database(root) and experiment.artifact_location != artifacts:
        _follow_moved_repository(local_database(root), experiment.artifact_location, str(artifacts))
    return experiment.experiment_id


def _artifact_location(uri: str, root: Path) -> str | None:
    """Return the folder for artifacts, none for a server, which chooses. MLflow would choose the current folder."""
    if uri.startswith(("http://", "https://")):
        return None
    return str((_database_file(uri) or local_database(root)).parent / "artifacts")


def _follow_moved_repository(database: Path, old: str, new: str) -> None:
    """Rewrite the artifact paths, which MLflow stores absolute, after the repository's folder was moved."""
    with sqlite3.connect(database, timeout=20) as connection:
        for table, column in (
            ("experiments", "artifact_location"),
            ("runs", "artifact_uri"),
            ("logged_models", "artifact_location"),
        ):
            connection.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",
                (new, len(old) + 1, len(old), old),
            )
    connection.close()
