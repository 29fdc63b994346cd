"""What all clusters have to do, with one local cluster of two workers for all tests: to start one takes seconds."""

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from prefect import flow
from prefect.testing.utilities import prefect_test_harness

from flows.runtime.engines import remote_engine
from flows.runtime.engines.dask import DaskEngine
from flows.runtime.engines.engine import WorkerError
from flows.runtime.engines.ray import RayEngine
from flows.runtime.engines.remote import RefusedError, description
from flows.runtime.engines.remote_engine import RemoteEngine, refuse_others
from flows.runtime.side_by_side import run_side_by_side
from nasgem_core.config.search import ProxyConfig
from nasgem_core.training.image_set import ImageSet
from tasks.run.placement import Placement
from tasks.stages.sent_images import pack_images
from tests.flows.runtime.engines.worker_tasks import counting, doing, multiplied

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=[DaskEngine, pytest.param(RayEngine, marks=pytest.mark.nightly)])
def engine(request, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch, prefect_test_harness(server_startup_timeout=180):
        patch.chdir(tmp_path_factory.mktemp("project"))
        patch.setenv("NASGEM_DEVICE", "cpu")
        Path(".nasgem").mkdir()
        engine = request.param(2)
        yield engine
        engine.close()


def run(engine: RemoteEngine, marks: Path, *words: str) -> list[tuple[int, object]]:
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


def test_machines_answer_while_they_work(engine, tmp_path):
    begun = time.monotonic()
    working = threading.Thread(target=run, args=(engine, tmp_path, "doze", "doze"))
    working.start()
    while not all((tmp_path / str(number)).exists() for number in range(2)):
        time.sleep(0.05)
    answers = engine.ask(multiplied, 6, 7)
    assert working.is_alive() and time.monotonic() - begun < 60
    assert {answer for answer, _ in answers} == {42} and os.getpid() not in {process for _, process in answers}
    working.join()


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
        run(engine, tmp_path, "sleep", "refuse second")
    process = int((tmp_path / "0").read_text().split()[0])
    while Path(f"/proc/{process}").exists():
        assert time.monotonic() - begun < 120, "a training goes on"
        time.sleep(0.1)
    assert dict(run(engine, tmp_path, "work"))[0]["number"] == 0, "its worker was started again"


def test_a_worker_without_the_images_is_sent_them_once(engine, tmp_path, monkeypatch):
    images = ImageSet(*2 * (np.zeros((4, 8, 8, 3), np.uint8), np.arange(4) % 2), ("a", "b"))
    packed = []
    monkeypatch.setattr(remote_engine, "packed_images", lambda *asked: packed.append(asked) or pack_images(images))
    missing = {"config": ProxyConfig(dataset=str(tmp_path / "missing")), "images_hash": images.content_hash}
    seen = []

    @flow
    def working() -> None:
        inputs = [{**missing, "number": number, "placement": Placement()} for number in range(3)]
        run_side_by_side(engine, counting, inputs[:1], lambda *found: seen.append(found))
        run_side_by_side(engine, counting, inputs, lambda *found: seen.append(found))

    engine.run(working)
    assert [found["images"] for _, found in seen] == [4] * 4
    assert len(packed) == 1, "the workers of a folder share what one of them was sent"


def test_images_are_packed_once_for_all_that_ask(monkeypatch):
    packed = []
    monkeypatch.setattr(remote_engine, "packed_images", lambda inputs: packed.append(inputs) or bytes(3))
    made = DaskEngine(1)
    asking = [threading.Thread(target=made._images_of, args=({"images_hash": "a"},)) for _ in range(8)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert made._images_of({"images_hash": "a"}) == bytes(3) and len(packed) == 1
    made._images_of({"images_hash": "b"})
    assert len(packed) == 2


def test_workers_with_other_code_are_named_at_once(monkeypatch):
    own = {**description(), "torch": "0.4"}
    monkeypatch.setattr(remote_engine, "description", lambda: own)
    refuse_others([own])
    with pytest.raises(WorkerError, match=r"^the worker at b:/c has another version of torch \(2\.9, here 0\.4\)"):
        refuse_others([own, {**own, "torch": "2.9", "place": "b:/c"}])


@pytest.mark.parametrize("kind", [DaskEngine, RayEngine])
def test_no_cluster_is_started_where_no_task_is_sent(kind, monkeypatch):
    monkeypatch.setattr(kind, "connect", lambda engine: pytest.fail("nothing needs it"))
    ran = []

    @flow
    def cached() -> None:
        ran.append(kind(2).submit(doing, []))

    kind(2).run(cached)
    assert ran == [[]]
