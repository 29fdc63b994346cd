"""The Prefect server of one command, without starting one: real ones run in every test of the command line."""

import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from flows.runtime import server
from flows.runtime.environment import STATE
from flows.runtime.server import prefect_server
from nasgem_core.errors import NasgemError


class Health(BaseHTTPRequestHandler):
    """Answers as a healthy server, at the address of its health only."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def healthy():
    """Give the address of a server that answers."""
    with HTTPServer((server.HOST, 0), Health) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://{server.HOST}:{running.server_port}/api"
        running.shutdown()
        thread.join()


class FakeProcess:
    """A server process that has ended, or does not answer to being asked to."""

    def __init__(self, code: int | None, stubborn: bool = False) -> None:
        self.code, self.stubborn, self.calls = code, stubborn, []

    def poll(self) -> int | None:
        return self.code

    def terminate(self) -> None:
        self.calls.append("terminate")

    def kill(self) -> None:
        self.calls.append("kill")

    def wait(self, timeout: float | None = None) -> None:
        self.calls.append("wait")
        if self.stubborn and timeout:
            raise subprocess.TimeoutExpired("server", timeout)


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Have a process be "started" by the next block; give what it was started with."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)

    def use(process: FakeProcess) -> list:
        calls = []
        monkeypatch.setattr(server.subprocess, "Popen", lambda command, **options: calls.append(command) or process)
        return calls

    return use


def test_a_configured_server_is_used(healthy, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", healthy)
    with prefect_server() as wait_for_server:
        wait_for_server()
        assert os.environ["PREFECT_API_URL"] == healthy
    assert os.environ["PREFECT_API_URL"] == healthy


@pytest.mark.parametrize("path", ["http://127.0.0.1:1/api", "nonsense", "elsewhere"])
def test_one_that_does_not_answer_is_named(healthy, monkeypatch, path):
    address = f"{healthy}/elsewhere" if path == "elsewhere" else path
    monkeypatch.setenv("PREFECT_API_URL", address)
    with pytest.raises(NasgemError, match=rf"^the Prefect server at {address} does not answer: "), prefect_server():
        pytest.fail("there is no server")


def test_our_own_ends_with_the_block(started):
    process = FakeProcess(None)
    calls = started(process)
    with prefect_server():
        port = calls[0][-2]
        assert os.environ["PREFECT_API_URL"] == f"http://{server.HOST}:{port}/api"
        assert calls[0][-1] == str(os.getpid()), "the server follows this process"
    assert "PREFECT_API_URL" not in os.environ and process.calls == ["terminate", "wait"]


def test_one_that_does_not_end_is_killed(started):
    process = FakeProcess(0, stubborn=True)
    started(process)
    with prefect_server():
        pass
    assert process.calls == ["terminate", "wait", "kill", "wait"]


def test_one_that_dies_at_its_start_is_reported_with_its_log(started):
    started(FakeProcess(1))
    log = STATE / "prefect" / "server.log"
    with (
        pytest.raises(
            NasgemError, match=rf"^the Prefect server did not start: the end of {log} says why\..*prefect\.db"
        ),
        prefect_server() as wait_for_server,
    ):
        wait_for_server()
    assert log.is_file()


def test_a_slow_one_is_waited_for(started, healthy, monkeypatch):
    answers = iter([False, False, True])
    monkeypatch.setattr(server, "answers", lambda *_, **__: next(answers))
    monkeypatch.setattr(server.time, "sleep", lambda _: None)
    started(FakeProcess(None))
    with prefect_server() as wait_for_server:
        wait_for_server()
    assert next(answers, None) is None
