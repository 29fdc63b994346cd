import multiprocessing
import os
import signal
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prefect import flow
from prefect.testing.utilities import prefect_test_harness

from flows.cli.faults import explain
from flows.runtime.engines import processes
from flows.runtime.engines.engine import Engine, WorkerError
from flows.runtime.engines.processes import ProcessPool
from flows.runtime.side_by_side import run_side_by_side
from tasks.run.placement import SLOT
from tests.flows.runtime.engines.worker_tasks import crowding, dying, starving, worker

POOL: Engine = ProcessPool(2)


def test_a_pool_knows_when_one_of_its_processes_died():
    assert "run again to go on" in str(POOL.explained(BrokenProcessPool("x")))
    assert not any(POOL.explained(error) for error in (ValueError(), KeyboardInterrupt(), WorkerError()))


def test_the_only_machine_answers_itself():
    assert POOL.ask(pow, 2, 5) == [32]


def test_ending_the_work_ends_every_process(monkeypatch):
    ended = []
    children = [SimpleNamespace(kill=lambda name=name: ended.append(name)) for name in "ab"]
    monkeypatch.setattr(multiprocessing, "active_children", lambda: children)
    POOL.terminate()
    assert ended == ["a", "b"]


def test_processes_start_without_hearing_ctrl_c():
    class Recording:
        def submit(self, **values):
            blocked = signal.pthread_sigmask(signal.SIG_BLOCK, set())
            return values["x"], signal.SIGINT in blocked

    assert POOL.submit(Recording(), [{"x": 1}, {"x": 2}]) == [(1, True), (2, True)]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set())


def test_a_worker_knows_its_slot(monkeypatch):
    monkeypatch.setenv(SLOT, "")
    monkeypatch.setattr(processes, "start_worker", lambda: None)
    for identity, slot in (((), 0), ((1,), 0), ((3,), 2)):
        monkeypatch.setattr(multiprocessing, "current_process", lambda own=identity: SimpleNamespace(_identity=own))
        processes._start_worker()
        assert processes.slot() == slot and os.environ[SLOT] == str(slot)


@pytest.mark.slow
def test_tasks_run_in_processes_and_one_that_dies_or_starves_is_reported():
    found = []

    @flow
    def working() -> None:
        found.extend(future.result() for future in POOL.submit(worker, [{"number": i} for i in range(2)]))

    @flow
    def dying_flow() -> None:
        working.fn()
        run_side_by_side(POOL, dying, [{"number": 9}], lambda *_: None)

    @flow
    def starving_flow() -> None:
        run_side_by_side(POOL, starving, [{"number": number} for number in (1, 0)], lambda *_: None)

    results = []

    @flow
    def crowded_flow() -> None:
        run_side_by_side(
            POOL, crowding, [{"number": 7}], lambda *result: results.append(result), instead=lambda reason: reason
        )

    with prefect_test_harness(server_startup_timeout=180):
        POOL.run(working)
        POOL.run(crowded_flow)
        assert results == [(0, "by itself on the device too: cuda:7 has too little memory")]
        with pytest.raises(WorkerError, match=r"^a worker was ended from outside \(out of memory\?\): run again"):
            POOL.run(dying_flow)
        _require_one_server(found)
        with pytest.raises(MemoryError) as caught:
            POOL.run(starving_flow)
    assert (explain(caught.value) or "").startswith("memory ran out: end other programs, use fewer --workers")


def _require_one_server(found: list[dict[str, Any]]) -> None:
    """Require that both pools forked their workers from one process, which has ended."""
    assert [each["number"] for each in found] == [0, 1, 0, 1]
    assert all(each["slot"].isdigit() and each["torch"] for each in found)
    (server,) = {each["from"] for each in found}
    assert os.getpid() not in {server, *(each["process"] for each in found)}
    deadline = time.monotonic() + 20
    while Path(f"/proc/{server}/stat").read_text().split()[2] != "Z":  # whoever starts the next one waits for it
        assert time.monotonic() < deadline, "what they are forked from goes on"
        time.sleep(0.05)
