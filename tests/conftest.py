"""What holds for every test: one thread, no window, the same examples in every run, no files left behind.

And one searched folder for all tests that need the results of a search, also where several processes share the tests;
they work in copies of it.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from flows.runtime.loopback import api_address, listening
from flows.runtime.server import OwnServer
from tasks.mlflow_runs.tracking_store import create_database, set_environment
from tests.flows.commands import NASGEM
from tests.flows.workspace import Workspace, compiled

# Read by numpy, numba, torch and matplotlib when they are imported, which the test modules do after this file.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["MPLBACKEND"] = "Agg"
os.environ["NUMBA_CACHE_DIR"] = str(compiled())

# A shell that runs the tests in the background has them ignore Ctrl-C, and whatever they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "nasgem",
    deadline=None,  # the first call of a compiled function takes long, and so does any call on a busy machine
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("nasgem")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs a GPU")


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """Give a folder that all processes of pytest-xdist share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def made_once(root: Path) -> Iterator[bool]:
    """Say whether the block has to make the folder; another process waits meanwhile, and finds it made."""
    done = root.with_suffix(".done")
    with FileLock(root.with_suffix(".lock")):
        yield not done.exists()
        done.touch()


@pytest.fixture(scope="session")
def pristine(shared) -> Workspace:
    with made_once(shared / "pristine") as missing:
        return Workspace.create(shared / "pristine") if missing else Workspace(shared / "pristine")


@pytest.fixture(scope="session")
def searched_folder(pristine, shared) -> Workspace:
    root = shared / "searched"
    with made_once(root) as missing:
        if not missing:
            return Workspace(root)
        workspace = pristine.copy(root)
        workspace.succeed(NASGEM, "search")  # as a user's, from the first line of the script
        return workspace


_CREATE = """
import asyncio
from prefect.server.database import provide_database_interface
asyncio.run(provide_database_interface().create_db())
"""


@pytest.fixture(scope="session")
def prefect_database(pristine, shared) -> Path:
    """Give an empty database of Prefect: to make one takes longer than all else that a server does when it starts."""
    home = shared / "prefect"
    with made_once(home) as missing:
        if missing:
            environment = pristine.environment(PREFECT_HOME=str(home))
            subprocess.run([sys.executable, "-c", _CREATE], cwd=shared, env=environment, check=True)
    return home / "prefect.db"


@pytest.fixture(scope="session")
def mlflow_database(shared) -> Path:
    """Give an empty database of MLflow, which takes seconds to make as well."""
    path = shared / "mlflow" / "mlflow.db"
    with made_once(path.parent) as missing:
        if missing:
            path.parent.mkdir()
            set_environment()
            create_database(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def prefect_api(pristine, prefect_database, tmp_path_factory) -> Iterator[str]:
    """Give the address of a Prefect server that many commands use in turn."""
    home = tmp_path_factory.mktemp("prefect")
    shutil.copy(prefect_database, home)
    environment = pristine.environment(PREFECT_HOME=str(home), PREFECT_SERVER_ANALYTICS_ENABLED="false")
    with listening() as listener:
        server = OwnServer(listener, home / "log", environment)
        server.wait()
        yield api_address(listener)
        server.end()
