"""Tracking of searches with MLflow: where it is, how it is opened, and what happens while it is away.

MLflow is imported inside the functions, because the import takes seconds.
"""

import hashlib
import os
import shlex
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from nasgem_core.errors import NasgemError
from tasks.mlflow_runs.delivery import RunWriter
from tasks.mlflow_runs.outbox import Outbox
from tasks.mlflow_runs.run_record import RunRecord
from tasks.mlflow_runs.tracking_store import (
    FOLDER,
    OUTBOX,
    create_database,
    database_uri,
    local_database,
    only_one_creates,
    open_experiment,
    require_usable_file,
    set_environment,
)
from tasks.run.masking import has_secret, without_secrets

if TYPE_CHECKING:
    from mlflow import MlflowClient

_LONGEST_PATH = 500
"""Bytes; SQLite has room for 512, with what it adds to the name of a database."""
_LONGEST_OPENING = 120.0
"""Seconds; to make the tables of a database takes ten, on a busy machine more."""
_Result = TypeVar("_Result")
_ANEW = (
    f"Move the folder {FOLDER} away to begin a new one: it holds MLflow's runs and registered networks, the results of "
    "stages are elsewhere"
)
_MENDED = (
    (("disk is full", "no space left", "quota"), "Free space, and run again"),
    (("readonly", "read-only", "permission denied"), "Make it writable, or name another place by MLFLOW_TRACKING_URI"),
    (
        ("out-of-date database schema",),
        "It is of another version of MLflow: `mlflow db upgrade {uri}` may bring it to this; if not, move it away",
    ),
    (
        ("disk i/o error",),
        "The disk fails, or a file may not become that large here (ulimit -f): raise the limit, or use another disk",
    ),
    (("database is locked",), "Another process writes there: run again when it has finished"),
)
"""What helps against what the system or a library says."""
SOURCE_TAG, COMMIT_TAG, DIRTY_TAG = "mlflow.source.name", "mlflow.source.git.commit", "git.dirty"
"""Tags of a run's code; MLflow's pages show the first two as source and version."""
_FIRST_PAUSE, _LONGEST_PAUSE = 30.0, 600.0
"""Seconds without an attempt after a failed delivery; doubled at each failure in a row."""
_LONGEST_DELIVERY, _LONGEST_LAST = 2.0, 60.0
"""Seconds that one delivery may take during a search, and at its end: thousands of runs may wait after an outage."""
_PAUSES = 9
"""How many times as long as a delivery that left records behind the search then works undisturbed."""


def tracking_uri(root: Path) -> str:
    """Return `MLFLOW_TRACKING_URI`, or the database inside the repository at `root` if that is not set."""
    return os.environ.get("MLFLOW_TRACKING_URI") or database_uri(local_database(root))


def ui_command(uri: str) -> str:
    """Return the line that opens the MLflow UI on `uri`; for a server, its address. Passwords are left out."""
    if uri.startswith(("http://", "https://")):
        return without_secrets(uri)
    if has_secret(uri):  # a command line can be read by all users of the machine
        return 'MLFLOW_BACKEND_STORE_URI="$MLFLOW_TRACKING_URI" mlflow ui --host 127.0.0.1 --workers 1'
    return shlex.join(["mlflow", "ui", "--backend-store-uri", uri, "--host", "127.0.0.1", "--workers", "1"])


def start_tracking(root: Path, on_warning: Callable[[str], None]) -> "Tracking":
    """Open MLflow for the repository at `root` and return where to log runs.

    Creates database and experiment where there are none. Records that an earlier process could not deliver go out
    with the first run logged.

    Args:
        root: the repository; records wait in its outbox.
        on_warning: called when MLflow stops answering, and for records that cannot be delivered.

    Raises:
        NasgemError: MLflow cannot be reached.
    """
    uri = tracking_uri(root)
    with opened(uri) as client:
        experiment_id = open_experiment(client, uri, root)
    return Tracking(uri, Outbox(root / OUTBOX, on_warning), RunWriter(client, experiment_id), on_warning)


class Tracking:
    """Logs runs: to disk at once, to MLflow as soon as it takes them; never stops a search because MLflow is away.

    Args:
        uri: where MLflow is, for messages.
        outbox: where runs wait.
        writer: brings them to MLflow.
        on_warning: called once for each time that MLflow goes away.
        clock: seconds since some moment.
    """

    def __init__(
        self,
        uri: str,
        outbox: Outbox,
        writer: RunWriter,
        on_warning: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.uri = uri
        self._outbox, self._writer = outbox, writer
        self._on_warning, self._clock = on_warning, clock
        self._pause = _FIRST_PAUSE
        self._next_attempt = 0.0
        self._warned = False

    def log(self, record: RunRecord) -> None:
        """Put `record` into the outbox and deliver what waits there, unless MLflow failed a moment ago.

        Of many waiting records a part is delivered, so that they take a tenth of the search's time at most.
        """
        self._outbox.put(record)
        if self._clock() >= self._next_attempt:
            self._deliver(_LONGEST_DELIVERY)

    def close(self) -> int:
        """Deliver for up to a minute what still waits; return how many records are left for the next search."""
        self._deliver(_LONGEST_LAST)
        return len(self._outbox.pending())

    def _deliver(self, longest: float) -> None:
        begun = self._clock()
        try:
            self._outbox.deliver(self._writer.write, lambda: self._clock() < begun + longest)
        except Exception as error:  # whatever a store raises: the records are safe and the search goes on
            self._next_attempt = self._clock() + self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            if not self._warned:
                self._warned = True
                self._on_warning(
                    f"MLflow at {without_secrets(self.uri)} took no run ({_reason(error, self.uri)}): "
                    f"runs wait in {self._outbox.folder} and are delivered once it answers"
                )
        else:
            now = self._clock()
            spent = now - begun
            self._next_attempt = now + _PAUSES * spent if spent >= longest else 0.0
            self._pause, self._warned = _FIRST_PAUSE, False


def provenance(root: Path) -> dict[str, str]:
    """Return tags with our version, the git commit of `root`, whether files differ from it, and the hash of `dvc.lock`.

    What cannot be found (git, repository, commit or file) is left out.
    """
    tags = {SOURCE_TAG: f"nasgem {package_version('nasgem')}", "mlflow.source.type": "LOCAL"}
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    if commit:
        tags[COMMIT_TAG] = commit
        tags[DIRTY_TAG] = "true" if _git(root, "status", "--porcelain", "--untracked-files=no") else "false"
    lock = root / "dvc.lock"
    if lock.is_file():
        tags["dvc.lock.sha256"] = hashlib.sha256(lock.read_bytes()).hexdigest()
    return tags


def _git(root: Path, *arguments: str) -> str | None:
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


@contextmanager
def opened(uri: str) -> Iterator["MlflowClient"]:
    """Provide a client on `uri`; no other process creates its tables meanwhile. Raises as `answering`."""
    set_environment()
    from mlflow import MlflowClient

    def open_client() -> "MlflowClient":
        create_database(uri)
        require_usable_file(uri)
        client = MlflowClient(uri)
        client.search_experiments(max_results=1)
        return client

    with answering(uri), only_one_creates(uri):
        yield _within(_LONGEST_OPENING, open_client)


def _within(seconds: float, function: Callable[[], _Result]) -> _Result:
    """Return what a function returns, or raise `TimeoutError`: some stores try again for an hour before they fail."""
    results: Future[_Result] = Future()

    def work() -> None:
        try:
            results.set_result(function())
        except BaseException as error:
            results.set_exception(error)

    thread = threading.Thread(target=work, daemon=True, name="open-mlflow")
    thread.start()
    thread.join(seconds)
    if not results.done():
        raise TimeoutError(f"no answer within {seconds:.0f} seconds")
    return results.result()


@contextmanager
def answering(uri: str) -> Iterator[None]:
    """Turn whatever MLflow at `uri` raises into a `NasgemError`; errors of this package stay as they are."""
    try:
        yield
    except NasgemError:
        raise
    except Exception as error:  # each kind of store fails with errors of its own
        reason = _reason(error, uri)
        raise NasgemError(
            f"MLflow at {without_secrets(uri)} cannot be reached: {reason}. {_remedy(uri, reason)}"
        ) from None  # its text may hold the password, and Prefect keeps what a flow has failed with


def _remedy(uri: str, reason: str) -> str:
    """Return what helps where a user has named the store, and where it is the one inside the repository."""
    if "unable to open database file" in reason and len(os.fsencode(uri)) > _LONGEST_PATH:
        return f"SQLite opens no path of more than {_LONGEST_PATH} bytes: work in a folder with a shorter one"
    for words, remedy in _MENDED:
        if any(word in reason.lower() for word in words):
            return remedy.format(uri=without_secrets(uri))
    if uri.startswith(("http://", "https://")):
        return "Start that server, or unset MLFLOW_TRACKING_URI to track inside this repository"
    if os.environ.get("MLFLOW_TRACKING_URI"):
        return "Name another place, or unset MLFLOW_TRACKING_URI to track inside this repository"
    return _ANEW


def _reason(error: BaseException, uri: str) -> str:
    """Return one line: what the system said at the bottom of a chain of errors, else the error's own first line."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, OSError) and not (cause.__cause__ or cause.__context__):
            error = cause
        cause = cause.__cause__ or cause.__context__
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return without_secrets(lines[0].rstrip("."), uri)[:300]
