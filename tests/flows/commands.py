"""Commands that begin at once: the client of `tests/flows/fork_server.py`, for tests and the shells that they run."""

import atexit
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO

SCRIPTS = Path(sys.executable).parent
"""Where the commands of this environment are."""
NASGEM = str(SCRIPTS / "nasgem")
"""The installed console script: named in full, it is run as an ordinary process."""
_OURS = (
    "PREFECT_",
    "MLFLOW_",
    "NASGEM_",
    "DVC_",
    "PYTEST_",
    "NUMBA_",
    "OMP_",
    "MKL_",
    "OPENBLAS_",
    "MPL",
    "PYTHONDONT",
)
_SHIM = """#!{python} -S
import sys
sys.path.insert(0, {root!r})
from tests.flows.commands import relay
relay({path!r}, {script!r})
"""


def plain_environment() -> dict[str, str]:
    """Return the environment of the tests without what may change a result or has modules compiled again and again."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}


class Command:
    """A running command, with what tests use of `subprocess.Popen`; it has a session of its own."""

    def __init__(self, path: str, words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.words, self.folder, self.environment = list(words), str(folder), dict(environment)
        self.returncode: int | None = None
        self.pid = 0
        self.connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.connection.connect(path)

    def begin(self, streams: Sequence[int]) -> None:
        """Fork it, with standard input, output and errors."""
        command = {"words": self.words, "folder": self.folder, "environment": self.environment}
        socket.send_fds(self.connection, [json.dumps(command).encode()], list(streams))
        self.pid = int(self.connection.recv(64))

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or nothing while it runs."""
        return self._wait(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; return the exit code."""
        code = self._wait(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.words, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal to it alone."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _wait(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self.connection], [], [], timeout)[0]:
            self.returncode = int(self.connection.recv(64))
            self.connection.close()
        return self.returncode


@cache
def _server() -> Path:
    """Start the server of this process, which ends with it; return its folder."""
    folder = Path(tempfile.mkdtemp(prefix="nasgem-commands-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    settings = {"PREFECT_HOME": str(folder / "prefect"), "MPLCONFIGDIR": str(folder / "matplotlib")}
    # A thread that has to be there at a fork would be missing in the new process.
    settings["JE_ARROW_MALLOC_CONF"] = "background_thread:false"
    environment = {name: value for name, value in plain_environment().items() if name != "PYTHONPATH"}
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("fork_server.py")), str(folder / "socket")],
        cwd=folder,
        env=environment | settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None and process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    atexit.register(_end, process)
    shim = folder / "bin" / "nasgem"
    shim.parent.mkdir()
    root = str(Path(__file__).parents[2])
    shim.write_text(_SHIM.format(python=sys.executable, root=root, path=str(folder / "socket"), script=NASGEM))
    shim.chmod(0o755)
    return folder


def _end(process: subprocess.Popen) -> None:
    process.communicate()


def shims() -> str:
    """Return the folder of a `nasgem` for PATH that begins at once."""
    return str(_server() / "bin")


Running = Command | subprocess.Popen
"""A command that was started."""


def begin(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], output: BinaryIO, errors: BinaryIO
) -> Running:
    """Start a command with a session of its own; `nasgem` and Python scripts as forks of the server."""
    with open(os.devnull, "rb") as nothing:
        if words[0] != "nasgem" and not words[0].endswith(".py"):
            return subprocess.Popen(
                words,
                cwd=folder,
                env=dict(environment),
                stdin=nothing,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
        script = NASGEM if words[0] == "nasgem" else words[0]
        command = Command(str(_server() / "socket"), [script, *words[1:]], folder, environment)
        command.begin([nothing.fileno(), output.fileno(), errors.fileno()])
    return command


def relay(path: str, script: str) -> None:
    """Be the command of a shell: run it at the server and end with its exit code."""
    command = Command(path, [script, *sys.argv[1:]], Path.cwd(), os.environ)
    command.begin([0, 1, 2])
    code = command.wait()
    os._exit(code if code >= 0 else 128 - code)
