"""The Prefect server of one command, without starting one: real ones run in every test of the command line."""

import base64
import os
import signal
import subprocess
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from flows.runtime import server
from flows.runtime.environment import STATE
from flows.runtime.loopback import HOST, api_address, listening
from flows.runtime.secret import SECRET_FILE, kept_secret
from flows.runtime.server import OwnServer, answers, prefect_server
from nasgem_core.errors import NasgemError


class Health(BaseHTTPRequestHandler):
    """Answers as a healthy server, at the address of its health; elsewhere only whoever knows the secret, if any."""

    secret = ""

    def do_GET(self) -> None:
        right = f"Basic {base64.b64encode(self.secret.encode()).decode()}"
        known = not self.secret or self.headers.get("Authorization") == right
        self.send_response(200 if self.path == "/api/health" else 404 if known else 401)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def healthy():
    """Give the address of a server that answers."""
    with HTTPServer((HOST, 0), Health) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://{HOST}:{running.server_port}/api"
        running.shutdown()
        thread.join()


class FakeProcess:
    """A server process that has ended, or does not answer to being asked to."""

    def __init__(self, code: int | None, stubborn: bool = False) -> None:
        self.code, self.stubborn, self.calls = code, stubborn, []
        self.ended = threading.Event()

    def poll(self) -> int | None:
        return self.code

    def terminate(self) -> None:
        self.calls.append("terminate")
        self.ended.set()

    def kill(self) -> None:
        self.calls.append("kill")

    def wait(self, timeout: float | None = None) -> None:
        if threading.current_thread() is not threading.main_thread():
            self.ended.wait()  # whoever watches it
            return
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
        monkeypatch.setattr(
            server.subprocess, "Popen", lambda command, **options: calls.append((command, options["env"])) or process
        )
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
        assert os.environ["PREFECT_API_URL"].startswith(f"http://{HOST}:")
        command, environment = calls[0]
        assert command[-1] == str(os.getpid()), "the server follows this process"
        assert environment["PREFECT_SERVER_API_AUTH_STRING"] == os.environ["PREFECT_API_AUTH_STRING"]
        assert not SECRET_FILE.exists(), "its password ends with it"
    assert not {"PREFECT_API_URL", "PREFECT_API_AUTH_STRING"} & set(os.environ) and process.calls[-2:] == [
        "terminate",
        "wait",
    ]


def test_one_that_stays_has_the_password_of_the_folder_and_its_pages(started):
    calls = started(FakeProcess(None))
    with prefect_server(stays=True):
        command, environment = calls[0]
        assert command[-1] == "stays" and environment["PREFECT_SERVER_API_AUTH_STRING"] == kept_secret()
        assert os.environ["PREFECT_API_AUTH_STRING"] == kept_secret()


def test_what_is_refused_first_starts_no_server(started):
    calls = started(FakeProcess(None))

    def refuse() -> None:
        assert os.environ["PREFECT_API_URL"].startswith(f"http://{HOST}:"), "Prefect reads it when imported"
        raise NasgemError("wrong")

    with pytest.raises(NasgemError, match=r"^wrong$"), prefect_server(first=refuse):
        pytest.fail("it was taken")
    assert not calls and "PREFECT_API_URL" not in os.environ


def test_what_a_user_has_set_for_another_server_is_not_for_ours(started, monkeypatch):
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "a:b")
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", "postgresql+asyncpg://db")
    monkeypatch.setenv("PREFECT_LOCAL_STORAGE_PATH", "elsewhere")
    calls = started(FakeProcess(None))
    with prefect_server():
        assert calls[0][1]["PREFECT_SERVER_API_AUTH_STRING"] == os.environ["PREFECT_API_AUTH_STRING"] != "a:b"
        for environment in (calls[0][1], os.environ):
            assert not {"PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_LOCAL_STORAGE_PATH"} & set(environment)
    assert os.environ["PREFECT_SERVER_API_AUTH_STRING"] == "a:b"


def test_a_password_that_is_wrong_or_missing_is_one_message(healthy, monkeypatch):
    monkeypatch.setattr(Health, "secret", "nasgem:right")
    monkeypatch.setenv("PREFECT_API_URL", healthy)
    for given in ("", "nasgem:wrong"):
        monkeypatch.setenv("PREFECT_API_AUTH_STRING", given)
        message = rf"^the Prefect server at {healthy} asks for another password: set PREFECT_API_AUTH_STRING; .*auth"
        with pytest.raises(NasgemError, match=message), prefect_server():
            pytest.fail("it was let in")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "nasgem:right")
    with prefect_server():
        assert not server.admits(healthy) and server.admits(healthy, "nasgem:right")


def test_one_that_does_not_end_is_killed(started):
    process = FakeProcess(None, stubborn=True)
    started(process)
    with prefect_server():
        pass
    assert process.calls[-4:] == ["terminate", "wait", "kill", "wait"]


def test_one_that_dies_at_its_start_is_reported_with_its_log(started, monkeypatch):
    monkeypatch.setattr(server, "answers", lambda *_, **__: False)
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


def test_one_that_finds_the_disk_full_is_reported_as_such(started, monkeypatch):
    monkeypatch.setattr(server, "answers", lambda *_, **__: False)
    monkeypatch.setattr(server, "where_to_free", lambda: " at /full")
    started(FakeProcess(1))
    with (
        pytest.raises(NasgemError, match=r"did not start: the disk is full\. Free space at /full, and run again"),
        prefect_server() as wait_for_server,
    ):
        with (STATE / "prefect" / "server.log").open("a") as log:
            log.write("sqlalchemy.exc.OperationalError: database or disk is full\n")
        wait_for_server()


def test_one_that_meets_the_limit_of_file_sizes_is_reported_as_such(started, monkeypatch):
    monkeypatch.setattr(server, "answers", lambda *_, **__: False)
    monkeypatch.setattr(server, "met_file_limit", lambda log: log == STATE / "prefect" / "server.log")
    started(FakeProcess(1))
    with (
        pytest.raises(NasgemError, match=r"did not start: a file may not become that large here \(ulimit -f\)\. Raise"),
        prefect_server() as wait_for_server,
    ):
        wait_for_server()


def test_a_slow_one_is_waited_for(started, monkeypatch):
    answers = iter([False, False, True])
    monkeypatch.setattr(server, "answers", lambda *_, **__: next(answers))
    monkeypatch.setattr(server.time, "sleep", lambda _: None)
    started(FakeProcess(None))
    with prefect_server() as wait_for_server:
        wait_for_server()
    assert next(answers, None) is None


SMALL = """
import socket, sys
listener = socket.socket(fileno=int(sys.argv[1]))
while True:
    connection, _ = listener.accept()
    connection.recv(9999)
    connection.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
    connection.close()
"""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Have a small server started in place of Prefect's; give it and the lines that are said."""
    lines, real = [], subprocess.Popen
    monkeypatch.setattr(server, "say", lines.append)
    monkeypatch.setattr(
        server.subprocess, "Popen", lambda words, **given: real([words[0], "-S", "-c", SMALL, *words[3:]], **given)
    )
    with listening() as listener:
        own = OwnServer(listener, tmp_path / "log")
        own.wait()
        yield own, lines
        own.end()
        assert not own.runs()


def test_one_that_is_killed_is_started_again_and_no_request_is_refused(small):
    own, lines = small
    killed, first = own._process.pid, own._process
    os.kill(killed, signal.SIGKILL)
    first.wait()
    assert answers(api_address(own.listener), timeout=30)
    assert own.runs() and own._process.pid != killed
    assert lines == ["  the Prefect server was ended from outside (out of memory?): it is started again"]


def test_one_that_dies_again_and_again_ends_the_command(small, monkeypatch):
    own, lines = small
    ended = threading.Event()
    real = os.kill
    monkeypatch.setattr(os, "kill", lambda pid, number: ended.set() if pid == os.getpid() else real(pid, number))
    while not ended.is_set():
        with suppress(ProcessLookupError):
            real(own._process.pid, signal.SIGKILL)
    assert lines[-1] == f"  the Prefect server ended 4 times: the end of {own.log} says why"
