"""A Prefect server for the length of one command, on the loopback interface, where none is configured.

It keeps its database in the repository, logs to a file, and ends with the command, even when that is killed.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from flows.runtime.environment import STATE
from flows.runtime.processes import follow
from nasgem_core.errors import NasgemError

HOST = "127.0.0.1"
_STARTUP_SECONDS = 180
_open = build_opener(ProxyHandler({})).open


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
                f"the Prefect server at {configured} does not answer: start it with `prefect server start`, "
                "or unset PREFECT_API_URL to let nasgem start one for itself"
            )
        yield lambda: None
        return
    port = free_port()
    log = STATE / "prefect" / "server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.runtime.server", str(port), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C is for the command, which stops the server when its own work is stored.
            start_new_session=True,
        )
    os.environ["PREFECT_API_URL"] = f"http://{HOST}:{port}/api"
    try:
        with ExitStack() as settings:

            def wait_for_server() -> None:
                _wait_for(process, log)
                settings.enter_context(_no_heartbeats())

            yield wait_for_server
    finally:
        if process.poll() is None:
            _send_what_waits()
        del os.environ["PREFECT_API_URL"]
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _no_heartbeats() -> AbstractContextManager[Any]:
    """Turn heartbeats of flows off.

    Nothing in our own server uses them, and the end of each flow waits for their thread, which wakes once a second.
    """
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    return temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None})


def _wait_for(process: subprocess.Popen, log: Path) -> None:
    address = os.environ["PREFECT_API_URL"]
    deadline = time.monotonic() + _STARTUP_SECONDS
    while not answers(address, timeout=2):
        if process.poll() is not None or time.monotonic() > deadline:
            raise NasgemError(
                f"the Prefect server did not start: the end of {log} says why. If it is about the database, move "
                f"{log.with_name('prefect.db')} away: it holds the log of runs, not their results"
            )
        time.sleep(0.1)


def answers(address: str, timeout: float) -> bool:
    """Return whether a Prefect API answers within so many seconds."""
    try:
        with _open(f"{address.rstrip('/')}/health", timeout=timeout) as response:
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


def free_port() -> int:
    """Return a port of the loopback interface that nothing uses yet."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _serve(port: int, parent: int) -> None:
    follow(parent)
    import uvicorn
    from prefect.server.api.server import create_app

    app = create_app(ephemeral=True, final=True)
    uvicorn.run(app, host=HOST, port=port, log_level="warning", timeout_graceful_shutdown=2)


if __name__ == "__main__":
    _serve(int(sys.argv[1]), int(sys.argv[2]))
