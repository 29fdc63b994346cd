"""The environment of a process, set before Prefect, Numba or Torch are imported, so that no file leaves the folder."""

import hashlib
import os
import sys
import warnings
from pathlib import Path

from flows.runtime.private_folder import make_private, make_private_cache
from nasgem_core.errors import NasgemError

STATE = Path(".nasgem")
"""Everything that is neither code nor data: Prefect's records, MLflow's runs, compiled code, the lock."""

_FOLDERS = ("prefect", "mlflow", "numba", "outbox", "checkpoints", "matplotlib", "torch")
_DVC = ("dvc", "dvc/repo")
"""DVC would make the second one itself, for everybody to write into."""


def prepare_environment() -> None:
    """Set the process up to work in the current folder, which must be the repository's.

    Raises:
        NasgemError: the folder does not contain `params.yaml` or cannot be written, or others can write its state.
    """
    if not Path("params.yaml").is_file():
        raise NasgemError(
            f"{Path.cwd()} does not contain params.yaml: run nasgem in the folder of your copy of the repository"
        )
    root = Path.cwd()
    make_state_folder()
    defaults = {
        "PREFECT_HOME": str(root / STATE / "prefect"),
        # Numba caches a function by its own file only; with a folder for each version of all files it follows them all.
        "NUMBA_CACHE_DIR": str(root / STATE / "numba" / _compiled_version()),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "PREFECT_CLI_COLORS": "false",
        # Runs keep their log in the API; the terminal is for our own messages.
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_TASKS_TAG_CONCURRENCY_SLOT_WAIT_SECONDS": "1",
        "DVC_NO_ANALYTICS": "1",
        # Threads that wait for each other by spinning are many times slower when something else is running.
        "OMP_WAIT_POLICY": "PASSIVE",
        "MPLCONFIGDIR": str(root / STATE / "matplotlib"),
        "TORCH_HOME": str(root / STATE / "torch"),
        "GIT_PYTHON_REFRESH": "quiet",
        # For the processes that this one starts. One of Python's own removes the semaphores of workers that Ctrl-C has
        # ended, and would list them on the terminal.
        "PYTHONWARNINGS": "ignore",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    os.environ["DVC_SITE_CACHE_DIR"] = str(root / STATE / "dvc")  # a folder that users share runs code of others
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def make_state_folder() -> None:
    """Create the state folder for this user alone, and the folders in it that libraries would open to others.

    Raises:
        NasgemError: it cannot be written, belongs to another user, or others can write into it.
    """
    try:
        make_private(STATE)
        for name in _FOLDERS:
            make_private(STATE / name)
        for name in _DVC:
            make_private_cache(STATE / name)
        probe = STATE / f"probe.{os.getpid()}"
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    except OSError as error:
        raise NasgemError(
            f"cannot write to {STATE.resolve()}: {error.strerror}; free space there or make the folder writable"
        ) from None


def _compiled_version() -> str:
    core = Path(__file__).resolve().parents[2] / "nasgem_core"
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(core.rglob("*.py")):
        source = path.read_bytes()
        if b"njit" in source or b"numba" in source:
            digest.update(source)
    return digest.hexdigest()
