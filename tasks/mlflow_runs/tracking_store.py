"""Where MLflow keeps runs: a database and a folder of artifacts inside the repository, or the user's own server."""

import logging
import os
import sqlite3
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.store.lock import locked

if TYPE_CHECKING:
    from mlflow import MlflowClient

FOLDER = Path(".nasgem") / "mlflow"
OUTBOX = Path(".nasgem") / "outbox"
"""Both are in the repository, and git ignores them."""

_ARTIFACTS = "artifacts"
_PATHS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
"""Tables and columns of MLflow's database that hold paths."""

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


def database_uri(database: Path) -> str:
    """Return the address of a SQLite file; in an address a question mark ends the path, and cannot be quoted."""
    path = os.path.relpath(database) if "?" in str(database) else str(database)
    return f"sqlite:///{path}"


def database_file(uri: str) -> Path | None:
    """Return the SQLite file of an address, nothing for other stores."""
    return Path(uri.removeprefix("sqlite:///")).absolute() if uri.startswith("sqlite:///") else None


def only_one_creates(uri: str) -> AbstractContextManager[Any]:
    """Return a lock under which a SQLite file may be opened: two processes creating its tables at once fail."""
    database = database_file(uri)
    if database is None:
        return nullcontext()
    database.parent.mkdir(parents=True, exist_ok=True)
    return locked(Path(f"{database}.lock"))


def require_usable_file(uri: str) -> None:
    """Raise `sqlite3.Error` where a SQLite file is damaged or cannot be written: MLflow would try again for an hour."""
    database = database_file(uri)
    if database is not None:
        with closing(sqlite3.connect(database, timeout=20)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("PRAGMA schema_version")


def create_database(uri: str) -> None:
    """Make the tables of a SQLite file that is missing or empty; it has another name until all of them are there.

    MLflow makes them in many steps, and cannot use a file that was left between two of them.
    """
    database = database_file(uri)
    if database is None or (database.exists() and database.stat().st_size):
        return
    unfinished = database.with_name(f"{database.name}.new")
    for leftover in (unfinished, unfinished.with_name(f"{unfinished.name}-journal")):
        leftover.unlink(missing_ok=True)
    require_usable_file(database_uri(unfinished))
    from mlflow import MlflowClient

    client: Any = MlflowClient(database_uri(unfinished))
    client._tracking_client.store.engine.dispose()
    unfinished.replace(database)


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
    follow_moved_repository(uri, root)
    return experiment.experiment_id


def follow_moved_repository(uri: str, root: Path) -> None:
    """Rewrite the paths of files, which MLflow stores absolute, after the repository's folder was moved or copied."""
    if database_file(uri) == local_database(root):
        rewrite_paths(local_database(root), root)


def rewrite_paths(database: Path, root: Path) -> None:
    """Have a database, or a copy of it, name the files in the repository at `root`, wherever it was before."""
    marked = f"/{FOLDER.as_posix()}/{_ARTIFACTS}"
    new = str(_artifact_location(database_uri(local_database(root)), root))
    with closing(sqlite3.connect(database, timeout=20)) as connection, connection:
        for table, column in _PATHS:
            other = f"FROM {table} WHERE instr({column}, ?) AND substr({column}, 1, ?) != ?"
            # Asked first: an update would wait for a search that writes.
            if connection.execute(f"SELECT 1 {other} LIMIT 1", (marked, len(new), new)).fetchone():
                place = f"substr({column}, instr({column}, ?) + ?)"
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || {place} {other.removeprefix(f'FROM {table} ')}",
                    (new, marked, len(marked), marked, len(new), new),
                )


def _artifact_location(uri: str, root: Path) -> str | None:
    """Return the folder for artifacts, none for a server, which chooses. MLflow would choose the current folder."""
    if uri.startswith(("http://", "https://")):
        return None
    folder = (database_file(uri) or local_database(root)).parent / _ARTIFACTS
    return folder.as_uri() if set("?#%") & set(str(folder)) else str(folder)
