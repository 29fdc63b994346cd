"""Folders to work in: each test has a copy of its own."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from flows.runtime.session import Session
from nasgem_core import registry
from nasgem_core.config.choices import OBJECTIVES
from nasgem_core.config.search import SearchConfig
from tests.flows.in_process import open_small_session, run_stages, small_config
from tests.flows.workspace import Workspace
from tests.tasks.stores import FakeTracking


@pytest.fixture
def searched(searched_folder, tmp_path, request) -> Workspace:
    """Give a folder in which a search has run."""
    return copied(searched_folder, tmp_path, request)


@pytest.fixture
def fresh(pristine, tmp_path, request) -> Workspace:
    """Give a folder in which nothing has run."""
    return copied(pristine, tmp_path, request)


def copied(workspace: Workspace, folder: Path, request: pytest.FixtureRequest) -> Workspace:
    """Return a copy with databases, and with a server that runs already unless the test is about servers."""
    copy = workspace.copy(folder / "repository")
    own = request.node.get_closest_marker("own_server")
    for library in ("mlflow", "prefect") if own else ("mlflow",):
        database = copy.root / ".nasgem" / library / f"{library}.db"
        if not database.exists():
            database.parent.mkdir(parents=True)
            shutil.copy(request.getfixturevalue(f"{library}_database"), database)
    return copy if own else copy.using(request.getfixturevalue("prefect_api"))


@pytest.fixture(autouse=True)
def _deserted(request) -> Callable[[], None] | None:
    """Nothing that a command started outlives it."""
    workspaces = [request.getfixturevalue(name) for name in ("searched", "fresh") if name in request.fixturenames]
    yield
    for workspace in workspaces:
        workspace.wait_until_deserted()


@dataclass(frozen=True)
class SmallSearch:
    """A search that has run in this process, for the objective `depth` of an installed package."""

    root: Path
    session: Session
    tracking: FakeTracking

    @property
    def config(self) -> SearchConfig:
        return self.session.config


DEPTH = '''
"""What the score charges in the tests."""

import numpy as np

from nasgem_core.search.objective import Objective


class Depth(Objective):
    """Charges the vertices behind the input."""

    label, unit = "depth", "steps"

    def costs(self, cells):
        """Return millionths of a step, int64 [B]."""
        return 10**6 * (cells.num_vertices.astype(np.int64) - 1)
'''


@contextmanager
def small_session(root: Path) -> Iterator[SmallSearch]:
    """Work in a folder with the package of the objective, until the end of the block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root))
        patch.chdir(root)
        registry._plugins.cache_clear()
        yield SmallSearch(root, *open_small_session(patch, small_config("depth")))
    OBJECTIVES._loaded.pop("depth", None)
    registry._plugins.cache_clear()


@pytest.fixture(scope="session")
def small_search_done(tmp_path_factory) -> SmallSearch:
    root = tmp_path_factory.mktemp("small_search")
    (root / "depth_package.py").write_text(DEPTH)
    metadata = root / "depth_package-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: depth-package\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[nasgem.objectives]\ndepth = depth_package:Depth\n")
    with small_session(root) as search:
        run_stages()
    return search


@pytest.fixture
def small_search(small_search_done) -> Iterator[SmallSearch]:
    """Work in the folder of the small search: what a test writes there, others see."""
    with small_session(small_search_done.root) as search:
        yield replace(search, tracking=small_search_done.tracking)
