"""The environment of a process, set before Prefect, Numba or Torch are imported, so that no file leaves the folder."""

import atexit
import hashlib
import logging
import os
import shutil
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

from flows.runtime.dvc_settings import name_own_cache
from flows.runtime.private_folder import make_private, make_private_cache
from flows.runtime.proxies import reach_this_machine_directly
from nasgem_core.errors import NasgemError

STATE = Path(".nasgem")
"""Everything that is neither code nor data: Prefect's records, MLflow's runs, compiled code, the lock."""

_FOLDERS = ("prefect", "mlflow", "numba", "outbox", "checkpoints", "history", "matplotlib", "torch")
_DVC = ("dvc", "dvc/repo")
"""DVC would make the second one itself, for everybody to write into."""
_SEMAPHORES = "ignore:resource_tracker"
"""Python removes the semaphores of workers that Ctrl-C has ended, and would list them on the terminal."""


def prepare_environment(*, only_reads: bool = False, anywhere: bool = False) -> None:
    """Set the process up to work in the current folder, which must be that of a project.

    Args:
        only_reads: the command writes nothing here; where the folder cannot be written or is another user's, caches are
            kept elsewhere until it ends.
        anywhere: the command needs no project; outside of one nothing is written, as where a folder cannot be.

    Raises:
        NasgemError: the folder does not contain `params.yaml` or cannot be written, others can write its state, or the
            proxies in the environment cannot be used.
    """
    in_project = Path("params.yaml").is_file()
    if not (in_project or anywhere):
        raise NasgemError(
            f"{Path.cwd()} does not contain params.yaml: run nasgem in the folder of a project; "
            "`nasgem init FOLDER` makes one"
        )
    writable = in_project and os.access(STATE if STATE.exists() else ".", os.W_OK) and not _is_of_another_user(STATE)
    state = make_state_folder() if writable or not (only_reads or anywhere) else _temporary_folder()
    reach_this_machine_directly()
    # What a user has set for other programs does not turn it on here; Prefect asks on the terminal otherwise.
    os.environ |= {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(state / "dvc"),  # a folder that users share runs code of others
    }
    defaults = {
        "PREFECT_HOME": str(state / "prefect"),
        # Numba caches a function by its own file only; with a folder for each version of all files it follows them all.
        "NUMBA_CACHE_DIR": str(state / "numba" / _compiled_version()),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "PREFECT_CLI_COLORS": "false",
        # Runs keep their log in the API; the terminal is for our own messages.
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_TASKS_TAG_CONCURRENCY_SLOT_WAIT_SECONDS": "1",
        # Threads that wait for each other by spinning are many times slower when something else is running.
        "OMP_WAIT_POLICY": "passive",  # in capitals, a Turkish locale has libgomp refuse it
        "MPLCONFIGDIR": str(state / "matplotlib"),
        "TORCH_HOME": str(state / "torch"),
        "GIT_PYTHON_REFRESH": "quiet",
        # For the processes that this one starts.
        "PYTHONWARNINGS": "ignore",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    logging.raiseExceptions = False  # Prefect would say on the terminal that its server took no log
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    if _SEMAPHORES not in sys.warnoptions:
        sys.warnoptions.append(_SEMAPHORES)


def make_state_folder() -> Path:
    """Make and return the state folder, for this user alone, with folders that libraries would open to others.

    Raises:
        NasgemError: it cannot be written, belongs to another user, or others can write into it.
    """
    try:
        make_private(STATE)
        for name in _FOLDERS:
            make_private(STATE / name)
        for name in _DVC:
            make_private_cache(STATE / name)
        with suppress(OSError):  # our own `dvc` reads a variable, and what only reads works on a full disk
            name_own_cache(STATE)
        probe = STATE / f"probe.{os.getpid()}"
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    except OSError as error:
        raise NasgemError(
            f"cannot write to {STATE.resolve()}: {error.strerror}; free space there or make the folder writable"
        ) from None
    return STATE.absolute()


def _is_of_another_user(folder: Path) -> bool:
    """Whether a folder is somebody else's, even if this user may write there, as root may anywhere."""
    return folder.exists() and folder.stat().st_uid != os.geteuid()


def _temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="nasgem-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _compiled_version() -> str:
    core = Path(__file__).resolve().parents[2] / "nasgem_core"
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(core.rglob("*.py")):
        source = path.read_bytes()
        if b"njit" in source or b"numba" in source:
            digest.update(source)
    return digest.hexdigest()
