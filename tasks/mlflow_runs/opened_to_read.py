"""MLflow for commands that only read: they also work where nothing can be written."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from nasgem_core.errors import NasgemError
from tasks.mlflow_runs.tracking import answering, opened, tracking_uri
from tasks.mlflow_runs.tracking_store import (
    database_file,
    database_uri,
    follow_moved_repository,
    local_database,
    rewrite_paths,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient


@contextmanager
def opened_to_read(root: Path) -> Iterator[tuple["MlflowClient", str]]:
    """Provide a client and its address; MLflow would write into a database that it opens, so it may open a copy.

    Args:
        root: the repository, whose tracking place is used.

    Raises:
        NasgemError: MLflow cannot be reached, in the block neither, or only another user can read the database.
    """
    uri = tracking_uri(root)
    database = database_file(uri)
    if database is None or not _is_read_only(database):
        with opened(uri) as client:
            follow_moved_repository(uri, root)
        with answering(uri):
            yield client, uri
        return
    with tempfile.TemporaryDirectory() as folder, answering(uri):
        copy = Path(folder) / database.name
        shutil.copyfile(database, copy)
        if database == local_database(root):
            rewrite_paths(copy, root)
        with opened(database_uri(copy)) as client:
            pass
        yield client, database_uri(copy)


def _is_read_only(database: Path) -> bool:
    try:
        return database.is_file() and not os.access(database.parent, os.W_OK)
    except PermissionError:
        raise NasgemError(
            f"only its owner can read {database.parent}, with its runs and registered networks: name a file or folder "
            "instead"
        ) from None
