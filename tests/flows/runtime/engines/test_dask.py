"""What is Dask's own; what all clusters have to do is in test_remote_engine.py."""

import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from flows.runtime.engines.dask import DaskEngine
from flows.runtime.engines.engine import WorkerError

pytestmark = pytest.mark.slow


def test_nobody_without_the_key_reaches_its_ports(tmp_path, monkeypatch):
    from distributed import Client

    monkeypatch.chdir(tmp_path)
    Path(".nasgem").mkdir()
    engine = DaskEngine(0)
    engine.connect()
    address = engine._local.scheduler_address
    assert address.startswith("tls://127.0.0.1:")
    with pytest.raises((OSError, TypeError, ValueError)):
        Client(address.replace("tls", "tcp"), timeout=2, set_as_default=False)
    engine.close()


@pytest.mark.parametrize("error", [CancelledError(), TimeoutError()])
def test_a_cluster_that_is_gone_is_explained(error):
    class Future:
        def result(self):
            raise error

    with pytest.raises(WorkerError, match=r"^the cluster at tls://a:1 has ended or cannot be reached: start it again"):
        DaskEngine(1, "tls://a:1")._result(Future())
    with pytest.raises(WorkerError, match=r"^the cluster of this machine has ended"):
        DaskEngine(1)._result(Future())


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
    first, _ = engine._send("x", print), engine._send("x", print)
    waiting = threading.Thread(target=engine._send, args=("x", print))
    waiting.start()
    time.sleep(0.2)
    assert client.sent == 2
    with engine._room:
        engine._sent.discard(first)
        engine._room.notify()
    waiting.join(timeout=10)
    assert client.sent == 3
