"""A Dask cluster with an object store whose parts are killed at random moments: the end is the undisturbed one.

Each part is killed once in a run of the nightly tests; `NASGEM_KILLS=10` kills each ten times.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from subprocess import Popen

import pytest

from tests.flows.commands import Running
from tests.flows.test_servers import end, free_port, wait_until
from tests.flows.workspace import Workspace, assert_clean, assert_only_grown

pytestmark = [pytest.mark.slow, pytest.mark.nightly, pytest.mark.own_server]
KILLS = int(os.environ.get("NASGEM_KILLS", "1"))
_LATEST, _LONGEST = 3, 0.5
"""Trainings, of six, after which something is killed at the latest, and seconds after the last of these."""
_S3 = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "mine", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass
class Cluster:
    """A scheduler, two machines with a worker each, and a server of objects, each in a folder of its own."""

    head: Workspace
    machines: list[Workspace]
    logs: Path
    address: str = field(default_factory=lambda: f"tls://127.0.0.1:{free_port()}")
    store: str = field(default_factory=lambda: f"http://127.0.0.1:{free_port()}")
    parts: dict[str, Running | Popen] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, str]:
        return {**_S3, "AWS_ENDPOINT_URL": self.store, "NASGEM_STORE": "s3://bucket/nasgem"}

    def begin(self) -> None:
        """Start whatever does not run."""
        running = {name for name, part in self.parts.items() if part.poll() is None}
        if "store" not in running:
            self._start_store()
        if "scheduler" not in running:
            self.parts["scheduler"] = self.head.start(
                *("nasgem", "scheduler", "--port", self.address.rpartition(":")[2]), output=self.log("scheduler")
            )
            key = self.head.root / ".nasgem/cluster.pem"
            self.head.wait_for(lambda: self._said("scheduler", "the scheduler listens at "))
            for machine in self.machines:
                shutil.copy(key, machine.root / ".nasgem/cluster.pem")
        for number, machine in enumerate(self.machines):
            name = f"worker {number}"
            if name not in running:
                self.parts[name] = machine.start(
                    *("nasgem", "worker", self.address, "--workers", "1"), output=self.log(name), **self.settings
                )
                machine.wait_for(lambda name=name: self._said(name, f"1 workers of {self.address}"))

    def search(self) -> Path:
        """Start to train the cells of the search; returns its log."""
        log = self.log("search")
        command = ("nasgem", "stage", "estimator", "--cluster", self.address)
        self.parts["search"] = self.head.start(*command, output=log, **self.settings)
        return log

    def kill(self, name: str) -> None:
        end(self.parts[name])

    def close(self) -> None:
        for part in self.parts.values():
            end(part)

    def log(self, name: str) -> Path:
        """Return the log of a part; each start has a new one."""
        path = self.logs / f"{name}.log"
        if path.exists():
            path.rename(self.logs / f"{name}-{len(list(self.logs.iterdir()))}.log")
        path.touch()
        return path

    def _said(self, name: str, start: str) -> bool:
        return any(line.startswith(start) for line in (self.logs / f"{name}.log").read_text().splitlines())

    def _start_store(self) -> None:
        port = self.store.rpartition(":")[2]
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", port]
        with self.log("store").open("ab") as file:
            self.parts["store"] = subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)
        import botocore.session

        client = botocore.session.get_session().create_client(
            *("s3", "us-east-1"), endpoint_url=self.store, aws_access_key_id="me", aws_secret_access_key="mine"
        )
        wait_until(lambda: _made(client))


def _made(client) -> bool:
    from botocore.exceptions import EndpointConnectionError

    try:
        client.create_bucket(Bucket="bucket")
    except EndpointConnectionError:
        return False
    return True


@pytest.fixture
def cluster(searched, tmp_path) -> Iterator[Cluster]:
    pytest.importorskip("moto.server")
    for name in ("logs", "one", "two"):
        (tmp_path / name).mkdir()
    machines = [searched.copy(tmp_path / name / "repository") for name in ("one", "two")]
    for machine in machines:
        shutil.rmtree(machine.root / "data")
    made = Cluster(searched, machines, tmp_path / "logs")
    try:
        yield made
    finally:
        made.close()
    for workspace in (searched, *machines):
        workspace.wait_until_deserted()


def forget(workspace: Workspace) -> None:
    """Leave nothing of the trained cells but what comes before them."""
    for record in workspace.records():
        (workspace.root / ".nasgem/prefect/storage" / record).unlink()
    shutil.rmtree(workspace.root / "data/estimator")


def wait_for_trainings(workspace: Workspace, random: Random) -> None:
    """Wait for a random moment of a search's trainings."""
    finished = random.randint(1, _LATEST)
    workspace.wait_for(lambda: len(workspace.records()) >= finished)
    time.sleep(random.uniform(0, _LONGEST))


@pytest.mark.parametrize("part", ["worker", "both workers", "scheduler", "store", "search"])
def test_a_part_that_is_killed_changes_nothing(cluster, tmp_path, part):
    undisturbed, random = cluster.head.hashes("estimator"), Random(part)
    killed = {"worker": ["worker 0"], "both workers": ["worker 0", "worker 1"]}.get(part, [part])
    for _ in range(KILLS):
        cluster.close()
        forget(cluster.head)
        cluster.begin()
        log = cluster.search()
        wait_for_trainings(cluster.head, random)
        known = cluster.head.records()
        assert cluster.parts["search"].poll() is None, "it is still at work"
        for name in killed:
            cluster.kill(name)
        if part == "both workers":
            cluster.begin()
        code = cluster.parts["search"].wait(300)
        assert code == {"scheduler": 1, "search": -signal.SIGKILL}.get(part, 0), log.read_text()
        said = log.read_text().replace("EndpointConnectionError: ", "")  # in the sentence on the store
        assert_clean(said)
        assert said.count(" cannot be used (") == (part == "store")
        if part == "scheduler":
            assert log.read_text().count("nasgem: ") == 1
        if part == "scheduler":
            assert [cluster.parts[name].wait(120) for name in ("worker 0", "worker 1")] == [0, 0], "they end with it"
        if code:
            cluster.begin()
            again = cluster.search()
            assert cluster.parts["search"].wait(300) == 0, again.read_text()
        assert_only_grown(known, cluster.head.records())
        assert cluster.head.hashes("estimator") == undisturbed
