"""One local cluster of two workers for all tests of the file: to start one takes seconds."""

import os
import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
from prefect import flow
from prefect.testing.utilities import prefect_test_harness

from flows.runtime.engines.dask import DaskEngine
from flows.runtime.engines.engine import WorkerError
from flows.runtime.engines.remote import RefusedError
from flows.runtime.side_by_side import run_side_by_side
from tasks.run.placement import Placement
from tests.flows.runtime.engines.worker_tasks import doing

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch, prefect_test_harness(server_startup_timeout=180):
        patch.chdir(tmp_path_factory.mktemp("project"))
        patch.setenv("NASGEM_DEVICE", "cpu")
        Path(".nasgem").mkdir()
        engine = DaskEngine(2)
        yield engine
        engine.close()


def run(engine: DaskEngine, marks: Path, *words: str) -> list[tuple[int, object]]:
    """Run the test's task in a flow for each of the words, from number 0; return what came, in its order."""
    seen: list[tuple[int, object]] = []
    inputs = [
        {"number": number, "what": what, "marks": str(marks), "placement": Placement(device="cuda")}
        for number, what in enumerate(words)
    ]

    @flow
    def working() -> None:
        run_side_by_side(engine, doing, inputs, lambda *found: seen.append(found), instead=lambda reason: reason)

    engine.run(working)
    return seen


def times_begun(marks: Path, number: int) -> int:
    return len((marks / str(number)).read_text().split())


def test_tasks_run_on_workers_whose_results_are_kept_here(engine, tmp_path):
    found = dict(run(engine, tmp_path, "work", "work", "work"))
    assert [found[number]["number"] for number in range(3)] == [0, 1, 2]
    assert all(each["process"] != os.getpid() and each["device"] == "cpu" for each in found.values())
    assert {each["slot"] for each in found.values()} <= {"0", "1"}
    assert dict(run(engine, tmp_path, "work", "work", "work")) == found, "they are read, not done again"
    assert [times_begun(tmp_path, number) for number in range(3)] == [1, 1, 1]


def test_a_task_that_ends_every_worker_is_given_up_and_harms_no_other(engine, tmp_path):
    found = dict(run(engine, tmp_path, "die", *["work"] * 4))
    assert found[0] == "its training ended every worker that ran it (out of memory?)"
    assert [found[number]["number"] for number in range(1, 5)] == [1, 2, 3, 4]
    assert times_begun(tmp_path, 0) == 4


def test_a_worker_that_cannot_be_used_ends_the_flow_with_its_reason(engine, tmp_path):
    with pytest.raises(RefusedError, match=r"^the worker at .*: the images are others$"):
        run(engine, tmp_path, "refuse")


def test_a_failure_ends_the_work_under_way_within_seconds(engine, tmp_path):
    begun = time.monotonic()
    with pytest.raises(RefusedError):
        run(engine, tmp_path, "sleep", "refuse")
    process = int((tmp_path / "0").read_text().split()[0])
    while Path(f"/proc/{process}").exists():
        assert time.monotonic() - begun < 120, "a training goes on"
        time.sleep(0.1)
    assert dict(run(engine, tmp_path, "work"))[0]["number"] == 0, "its worker was started again"


def test_nobody_without_the_key_reaches_its_ports(engine):
    from distributed import Client

    address = engine._local.scheduler_address
    assert address.startswith("tls://127.0.0.1:")
    with pytest.raises((OSError, TypeError, ValueError)):
        Client(address.replace("tls", "tcp"), timeout=2, set_as_default=False)


def test_workers_with_other_code_are_named_at_once(engine, monkeypatch):
    from flows.runtime.engines import dask as module

    own = {**module.description(), "torch": "0.4"}
    monkeypatch.setattr(module, "description", lambda: own)
    monkeypatch.setattr(type(engine._client), "run", lambda client, _: {"w": {**own, "torch": "2.9", "place": "b:/c"}})
    with pytest.raises(WorkerError, match=r"^the worker at b:/c has another version of torch \(2\.9, here 0\.4\)"):
        module._refuse_others(engine._client)


@pytest.mark.parametrize("error", [CancelledError(), TimeoutError()])
def test_a_cluster_that_is_gone_is_explained(error):
    class Future:
        def result(self):
            raise error

    with pytest.raises(WorkerError, match=r"^the cluster at tls://a:1 has ended or cannot be reached: start it again"):
        DaskEngine(1, "tls://a:1")._result(Future())
    with pytest.raises(WorkerError, match=r"^the cluster of this machine has ended"):
        DaskEngine(1)._result(Future())


def test_no_cluster_is_started_where_no_task_is_sent(engine, monkeypatch):
    monkeypatch.setattr(DaskEngine, "_started", lambda engine: pytest.fail("nothing needs it"))
    ran = []

    @flow
    def cached() -> None:
        ran.append(DaskEngine(2).submit(doing, []))

    DaskEngine(2).run(cached)
    assert ran == [[]]


def test_a_scheduler_that_ended_between_two_stages_is_explained():
    class Client:
        def scheduler_info(self, n_workers):
            return {}

    engine = DaskEngine(1, "tls://a:1")
    engine.__dict__["_client"] = Client()
    with pytest.raises(WorkerError, match=r"^the cluster at tls://a:1 has ended"):
        engine.run(None)


def test_tasks_are_sent_when_there_is_a_worker_without_one(monkeypatch):
    class Client:
        sent = 0

        def scheduler_info(self, n_workers):
            return {"workers": ["a", "b"]}

        def submit(self, *arguments, key, pure):
            self.sent += 1
            return object()

    engine, client = DaskEngine(0), Client()
    engine.__dict__["_client"] = client
    first, _ = engine._send("x"), engine._send("x")
    waiting = threading.Thread(target=engine._send, args=("x",))
    waiting.start()
    time.sleep(0.2)
    assert client.sent == 2
    with engine._room:
        engine._sent.discard(first)
        engine._room.notify()
    waiting.join(timeout=10)
    assert client.sent == 3
