"""Folders to work in: each test has a copy of its own."""

from collections.abc import Callable

import pytest

from tests.flows.workspace import Workspace


@pytest.fixture
def searched(searched_folder, tmp_path) -> Workspace:
    """Give a folder in which a search has run."""
    return searched_folder.copy(tmp_path / "repository")


@pytest.fixture
def fresh(pristine, tmp_path) -> Workspace:
    """Give a folder in which nothing has run."""
    return pristine.copy(tmp_path / "repository")


@pytest.fixture(autouse=True)
def _deserted(request) -> Callable[[], None] | None:
    """Nothing that a command started outlives it."""
    workspaces = [request.getfixturevalue(name) for name in ("searched", "fresh") if name in request.fixturenames]
    yield
    for workspace in workspaces:
        workspace.wait_until_deserted()
