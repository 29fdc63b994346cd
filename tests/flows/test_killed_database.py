"""PostgreSQL behind Prefect and MLflow is killed in a search: nothing finished is repeated, and the end is the same.

It is killed once in a run of the nightly tests; `NASGEM_KILLS=10` kills it ten times.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from tests.flows.test_cluster_faults import KILLS, forget, wait_for_trainings
from tests.flows.test_servers import ask, free_port, running, wait_until
from tests.flows.workspace import Workspace, assert_clean, assert_only_grown

pytestmark = [pytest.mark.slow, pytest.mark.nightly, pytest.mark.own_server]
_USER = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
"""PostgreSQL does not run as root."""


@dataclass
class Postgres:
    """A database server in a folder of its own, for this machine alone."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen | None = None

    def create(self) -> None:
        """Make its files, and a database each for Prefect and MLflow."""
        self._run("initdb", "--pgdata", str(self.folder / "data"), "--auth", "trust", "--username", "nasgem")
        self.begin()
        for name in ("prefect", "mlflow"):
            self._run("createdb", *self._place(), "--username", "nasgem", name)

    def begin(self) -> None:
        place = ["-p", str(self.port), "-k", str(self.folder), "-c", "listen_addresses=127.0.0.1"]
        command = [*_USER, str(_binary("postgres")), "-D", str(self.folder / "data"), *place]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        wait_until(lambda: subprocess.run(["pg_isready", "-q", *self._place()], check=False).returncode == 0, 60)

    def kill(self) -> None:
        """Kill the server; its other processes notice."""
        first = int((self.folder / "data/postmaster.pid").read_text().splitlines()[0])
        os.kill(first, signal.SIGKILL)
        assert self.process is not None
        self.process.wait(60)

    def address(self, driver: str, name: str) -> str:
        return f"postgresql+{driver}://nasgem@127.0.0.1:{self.port}/{name}"

    def _place(self) -> list[str]:
        return ["--host", "127.0.0.1", "--port", str(self.port)]

    def _run(self, name: str, *arguments: str) -> None:
        subprocess.run([*_USER, str(_binary(name)), *arguments], check=True, cwd=self.folder, capture_output=True)


def _binary(name: str) -> Path:
    """Return where a program of PostgreSQL is; Debian keeps the server out of PATH."""
    found = shutil.which(name)
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return Path(found) if found else versions[-1] if versions else pytest.skip(f"PostgreSQL ({name}) is not installed")


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    for name in ("initdb", "postgres", "createdb", "pg_isready"):
        _binary(name)
    folder = Path(tempfile.mkdtemp(prefix="nasgem-postgres-"))
    if _USER:
        shutil.chown(folder, "postgres")
    made = Postgres(folder)
    try:
        made.create()
        yield made
    finally:
        if made.process is not None and made.process.poll() is None:
            made.kill()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Team:
    """A project whose servers keep everything in PostgreSQL."""

    project: Workspace
    settings: dict[str, str]
    log: Path

    def search(self) -> subprocess.Popen:
        """Start to train the cells of the search."""
        return self.project.start("nasgem", "stage", "estimator", output=self.log, **self.settings)


@pytest.fixture
def team(searched, postgres, tmp_path) -> Iterator[Team]:
    api, tracking = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    storing = {"PREFECT_API_DATABASE_CONNECTION_URL": postgres.address("asyncpg", "prefect")}
    prefect = ("prefect", "server", "start", "--host", "127.0.0.1", "--port", api.rpartition(":")[2])
    stored = ("--backend-store-uri", postgres.address("psycopg2", "mlflow"), "--artifacts-destination", "artifacts")
    mlflow = ("mlflow", "server", "--port", tracking.rpartition(":")[2], "--workers", "1", *stored)
    settings = {"PREFECT_API_URL": f"{api}/api", "MLFLOW_TRACKING_URI": tracking}
    with running(searched, *prefect, **storing), running(searched, *mlflow):
        wait_until(lambda: ask(f"{api}/api/health"))
        wait_until(lambda: ask(f"{tracking}/health"))
        yield Team(searched, settings, tmp_path / "search.log")


def test_a_database_that_is_killed_changes_nothing(team, postgres):
    undisturbed, random = team.project.hashes("estimator"), Random(0)
    for _ in range(KILLS):
        forget(team.project)
        team.log.write_text("")
        search = team.search()
        wait_for_trainings(team.project, random)
        known = team.project.records()
        postgres.kill()
        code = search.wait(300)
        said = team.log.read_text()
        assert_clean(said.replace("PrefectHTTPStatusError: ", ""))  # in the sentence on the server
        postgres.begin()
        if code:
            assert said.count("nasgem: ") == 1, said
            again = team.search()
            assert again.wait(300) == 0, team.log.read_text()
        assert_only_grown(known, team.project.records())
        assert team.project.hashes("estimator") == undisturbed
    assert not list((team.project.root / ".nasgem/outbox").glob("*.run")), "MLflow took what had waited"
