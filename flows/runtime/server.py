"""A Prefect server for the length of one command, on the loopback interface, where none is configured.

It keeps its database in the repository, logs to a file, and ends with the command, even when that is killed. When it is
killed itself (memory ran out), it is started again: the socket is the command's, so requests wait in it meanwhile.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from flows.runtime.environment import STATE
from flows.runtime.processes import follow
from nasgem_core.errors import NasgemError
from tasks.run.masking import without_secrets
from tasks.run.progress import say

HOST = "127.0.0.1"
_STARTUP_SECONDS = 180
_STARTS = 4
"""How often a server is started before it is given up."""
_WAITING = 2048
"""Requests that may wait while there is no server."""


@contextmanager
def prefect_server() -> Iterator[Callable[[], None]]:
    """Provide a Prefect API while the block runs: the one of `PREFECT_API_URL`, or one of our own.

    Enter it before Prefect is imported, because Prefect reads the address then. The server starts while the block goes
    on importing; the function that the block is given returns once the API answers.

    Raises:
        NasgemError: the configured server does not answer, or our own does not start.
    """
    configured = os.environ.get("PREFECT_API_URL")
    if configured:
        if not answers(configured, timeout=5):
            raise NasgemError(
                f"the Prefect server at {without_secrets(configured)} does not answer: start it with "
                "`prefect server start`, or unset PREFECT_API_URL to let nasgem start one for itself"
            )
        yield lambda: None
        return
    log = STATE / "prefect" / "server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with listening() as listener, ExitStack() as settings:
        os.environ["PREFECT_API_URL"] = api_address(listener)
        server = OwnServer(listener, log)
        try:

            def wait_for_server() -> None:
                server.wait()
                settings.enter_context(_no_heartbeats())

            yield wait_for_server
        finally:
            if server.runs():
                _send_what_waits()
            del os.environ["PREFECT_API_URL"]
            server.end()


class OwnServer:
    """A process that serves a socket, and is started again when something has ended it.

    Args:
        listener: the socket, which stays open between two processes.
        log: the file for its messages.
        environment: of the process; that of this one by default.
    """

    def __init__(self, listener: socket.socket, log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.listener, self.log, self.environment = listener, log, environment
        self._starts = 0
        self._answered = self._ending = False
        self._changing = threading.Lock()
        self._process = self._start()
        threading.Thread(target=self._watch, daemon=True, name="prefect-server").start()

    def wait(self) -> None:
        """Return once it answers; raises `NasgemError` where it does not start."""
        deadline = time.monotonic() + _STARTUP_SECONDS
        while not answers(api_address(self.listener), timeout=2):
            if not self.runs() or time.monotonic() > deadline:
                raise NasgemError(
                    f"the Prefect server did not start: the end of {self.log} says why. If it is about the database, "
                    f"move {self.log.with_name('prefect.db')} away: it holds the log of runs, not their results"
                )
            time.sleep(0.1)
        self._answered = True

    def runs(self) -> bool:
        """Whether its process has not ended."""
        return self._process.poll() is None

    def end(self) -> None:
        """End it for good."""
        with self._changing:
            self._ending = True
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> subprocess.Popen:
        self._starts += 1
        descriptor = self.listener.fileno()
        with self.log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "flows.runtime.server", str(descriptor), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment,
                pass_fds=(descriptor,),
                # Ctrl-C is for the command, which stops the server when its own work is stored.
                start_new_session=True,
            )

    def _watch(self) -> None:
        while True:
            self._process.wait()
            with self._changing:
                if self._ending or not self._answered:
                    return
                if self._starts == _STARTS:
                    break
                self._process = self._start()
            say("  the Prefect server was ended from outside (out of memory?): it is started again")
        say(f"  the Prefect server ended {_STARTS} times: the end of {self.log} says why")
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def listening() -> Iterator[socket.socket]:
    """Provide a socket on a free port of the loopback interface, in which requests wait for a server."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen(_WAITING)
        yield listener


def api_address(listener: socket.socket) -> str:
    """Return the address of the API that is served on a socket."""
    return f"http://{HOST}:{listener.getsockname()[1]}/api"


def _no_heartbeats() -> AbstractContextManager[Any]:
    """Turn heartbeats of flows off.

    Nothing in our own server uses them, and the end of each flow waits for their thread, which wakes once a second.
    """
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    return temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None})


def answers(address: str, timeout: float) -> bool:
    """Return whether a Prefect API answers within so many seconds."""
    try:
        with urlopen(f"{address.rstrip('/')}/health", timeout=timeout) as response:
            return response.status == 200
    except (URLError, OSError, ValueError):
        return False


def _send_what_waits() -> None:
    """Let Prefect's background threads send their last logs and events while there is still a server."""
    if "prefect.logging.handlers" in sys.modules:
        from prefect.events.worker import EventsWorker
        from prefect.logging.handlers import APILogWorker

        APILogWorker.drain_all(timeout=10)
        EventsWorker.drain_all(timeout=10)


def _serve(descriptor: int, parent: int) -> None:
    follow(parent)
    import uvicorn
    from prefect.server.api.server import create_app

    app = create_app(ephemeral=True, final=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
    server.run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    _serve(int(sys.argv[1]), int(sys.argv[2]))
