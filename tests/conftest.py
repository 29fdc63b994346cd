"""What holds for every test: one thread, no window, the same examples in every run, no files left behind.

And one searched folder for all tests that need the results of a search; they work in copies of it. Where several
processes share the tests, one of them runs all of these.
"""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.flows.workspace import Workspace

# Read by numpy, numba, torch and matplotlib when they are imported, which the test modules do after this file.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["MPLBACKEND"] = "Agg"

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


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the marks in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests that start from the one searched folder in one process of pytest-xdist."""
    for item in items:
        if "pristine" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("workspace"))


@pytest.fixture(scope="session")
def pristine(tmp_path_factory) -> Workspace:
    return Workspace.create(tmp_path_factory.mktemp("pristine") / "repository")


@pytest.fixture(scope="session")
def searched_folder(pristine, tmp_path_factory) -> Workspace:
    workspace = pristine.copy(tmp_path_factory.mktemp("searched") / "repository")
    workspace.succeed("nasgem", "search")
    return workspace
