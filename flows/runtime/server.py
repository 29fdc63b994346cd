"""A Prefect server for the length of one command, on the loopback interface, where none is configured.

It keeps its database in the repository, logs to a file, and ends with the command, even when that is killed. When it is
killed itself (memory ran out), it is started again: the socket is the command's, so requests wait in it meanwhile.
"""

import base64
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
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from flows.runtime.environment import STATE
from flows.runtime.full_disk import temporary_folder, where_to_free
from flows.runtime.loopback import api_address, listening
from flows.runtime.prefect_settings import settings_of_own_server
from flows.runtime.processes import follow
from flows.runtime.secret import SECRET_FILE, kept_secret, new_secret
from flows.runtime.server_log import end_of_log, met_file_limit
from nasgem_core.errors import NasgemError
from tasks.run.masking import without_secrets
from tasks.run.progress import say

_PAGES_PORT = 4200
"""Prefect's own, where people look for its pages."""
_STARTUP_SECONDS = 180
_STARTS = 4
"""How often a server is started before it is given up."""
_FULL = ("disk is full", "no space left")


@contextmanager
def prefect_server(*, stays: bool = False, first: Callable[[], object] = lambda: None) -> Iterator[Callable[[], None]]:
    """Provide a Prefect API while the block runs: the one of `PREFECT_API_URL`, or one of our own.

    Enter it before Prefect is imported, because Prefect reads the address then. The server starts while the block goes
    on importing; the function that the block is given returns once the API answers. Our own asks for a password, since
    every user of the machine reaches its port.

    Args:
        stays: have our own schedule runs and show its pages, at a port and with a password that stay the same.
        first: is called before a server is started; it may import Prefect, to check what the server will be asked for.

    Raises:
        NasgemError: the configured server does not answer or refuses us, or our own does not start.
    """
    configured = os.environ.get("PREFECT_API_URL")
    if configured:
        first()
        _check(configured)
        yield lambda: None
        return
    secret = kept_secret() if stays else new_secret()
    log = STATE / "prefect" / "server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with listening(_PAGES_PORT if stays else 0) as listener, ExitStack() as settings:
        environment = settings.enter_context(settings_of_own_server(api_address(listener), secret))
        first()
        server = OwnServer(listener, log, environment, stays=stays)
        try:

            def wait_for_server() -> None:
                server.wait()
                settings.enter_context(_no_heartbeats())

            yield wait_for_server
        finally:
            if server.runs():
                _send_what_waits()
            server.end()


def _check(address: str) -> None:
    if not answers(address, timeout=5):
        raise NasgemError(
            f"the Prefect server at {without_secrets(address)} does not answer: start it with `prefect server start`, "
            "or unset PREFECT_API_URL to let nasgem start one for itself"
        )
    if not admits(address, os.environ.get("PREFECT_API_AUTH_STRING", ""), os.environ.get("PREFECT_API_KEY", "")):
        raise NasgemError(
            f"the Prefect server at {without_secrets(address)} asks for another password: set PREFECT_API_AUTH_STRING; "
            f'that of `nasgem serve` in this folder is in {SECRET_FILE}: "$(cat {SECRET_FILE})"'
        )


def _remedy(log: Path) -> str:
    """Return what helps against what ended the server."""
    if any(words in end_of_log(log) for words in _FULL):
        where = where_to_free() or f" in this folder, or in the one for temporary files ({temporary_folder()})"
        return f"the disk is full. Free space{where}, and run again"
    if met_file_limit(log):
        return "a file may not become that large here (ulimit -f). Raise the limit, and run again"
    return (
        f"the end of {log} says why. If it is about the database, move {log.with_name('prefect.db')} away: it holds "
        "the log of runs, not their results"
    )


class OwnServer:
    """A process that serves a socket, and is started again when something has ended it.

    Args:
        listener: the socket, which stays open between two processes.
        log: the file for its messages.
        environment: of the process; that of this one by default.
        stays: whether it schedules runs and shows its pages.
    """

    def __init__(
        self, listener: socket.socket, log: Path, environment: Mapping[str, str] | None = None, *, stays: bool = False
    ) -> None:
        self.listener, self.log, self.environment, self.stays = listener, log, environment, stays
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
                raise NasgemError(f"the Prefect server did not start: {_remedy(self.log)}")
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
        words = [str(descriptor), str(os.getpid()), *(["stays"] if self.stays else [])]
        with self.log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "flows.runtime.server", *words],
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


def admits(address: str, secret: str = "", key: str = "") -> bool:
    """Return whether an API takes requests with user and password, or with a key; with neither, whether it is open."""
    request = Request(f"{address.rstrip('/')}/admin/version")
    if secret:
        request.add_header("Authorization", f"Basic {base64.b64encode(secret.encode()).decode()}")
    elif key:
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urlopen(request, timeout=5):
            return True
    except HTTPError as error:
        return error.code not in (401, 403)
    except (URLError, OSError, ValueError):
        return True  # whoever uses it next sees what is wrong


def _send_what_waits() -> None:
    """Let Prefect's background threads send their last logs and events while there is still a server."""
    if "prefect.logging.handlers" in sys.modules:
        from prefect.events.worker import EventsWorker
        from prefect.logging.handlers import APILogWorker

        APILogWorker.drain_all(timeout=10)
        EventsWorker.drain_all(timeout=10)


def _serve(descriptor: int, parent: int, stays: bool) -> None:
    follow(parent)
    import uvicorn
    from prefect.server.api.server import create_app

    app = create_app(ephemeral=not stays, final=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
    server.run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    _serve(int(sys.argv[1]), int(sys.argv[2]), "stays" in sys.argv)
