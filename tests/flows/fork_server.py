"""A process that has imported the large libraries and forks itself for each command, which so begins at once.

To import Prefect, Torch and MLflow takes a command about eight seconds, its own work often less than one. What is run
is the installed console script from its first line, in a process of its own, with the arguments, folder, environment,
output, signals and exit code of a command in a shell. Not covered is what Python and the libraries do while they are
loaded or cleared: the search that other tests start from, `dvc` and workers are ordinary processes. All forks of one
server have the same hashes of texts; that search has others, so an order that depends on them would be seen.

Nothing of this repository is imported before the fork, and what a library took from the environment is read again.

Run as a script it is the server; `tests/flows/commands.py` is the other end of its socket.
"""

import atexit
import copy
import gc
import importlib
import importlib.abc
import importlib.machinery
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any

LIBRARIES = (
    "torch",
    "torchvision",
    "scipy.stats",
    "pandas",
    "pyarrow.parquet",
    "safetensors.numpy",
    "igraph",
    "numba",
    "networkx",
    "matplotlib.pyplot",
    "mlflow",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.artifact.local_artifact_repo",
    "sqlalchemy.ext.asyncio",
    "filelock",
    "ruamel.yaml",
    "typer.testing",
    "rich.console",
    "prefect",
    "prefect.flow_engine",
    "prefect.task_engine",
    "prefect.task_runners",
    "prefect.artifacts",
    "prefect.events.worker",
    "prefect.logging.handlers",
)


def _prefect_reads_its_settings() -> None:
    from prefect.context import refresh_global_settings_context
    from prefect.logging.configuration import setup_logging

    refresh_global_settings_context()
    setup_logging(incremental=False)


def _numba_reads_its_settings() -> None:
    from numba.core import config

    config.reload_config()


_AT_IMPORT = {"prefect": _prefect_reads_its_settings, "numba": _numba_reads_its_settings}
"""What a library does when a command imports it: its settings may have been changed until then."""


class _ImportedAgain(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives a module that is loaded already at its next import, after what has to be done then."""

    def __init__(self, name: str, at_import: Callable[[], None]) -> None:
        self.name, self.at_import = name, at_import
        self.module = sys.modules.pop(name)
        self.spec = self.module.__spec__

    def find_spec(self, name: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        if name != self.name:
            return None
        spec = copy.copy(self.spec)
        assert spec is not None
        spec.loader = self
        return spec

    def create_module(self, _: importlib.machinery.ModuleSpec) -> ModuleType:
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__, module.__loader__ = self.spec, self.spec.loader if self.spec else None
        self.at_import()


class ForkServer:
    """Takes commands from a socket; each message is one, with its standard streams; the answer is its exit code."""

    def __init__(self, path: str) -> None:
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(path)
        self.listener.listen(16)
        self.selector = selectors.DefaultSelector()
        self.selector.register(0, selectors.EVENT_READ, self.end)  # the tests hold its other end
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        self.running: dict[socket.socket, int] = {}

    def serve(self) -> tuple[dict[str, Any], list[int]]:
        """Fork for each command, and return it in the new process, with its standard streams."""
        while True:
            for key, _ in self.selector.select():
                command = key.data()
                if command:
                    return command

    def close(self) -> None:
        """Close in a new process what only the server needs."""
        for key in list(self.selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
            elif key.fd:
                os.close(key.fd)
        self.selector.close()

    def end(self) -> None:
        for child in self.running.values():
            _kill(child)
        os._exit(0)

    def accept(self) -> None:
        connection, _ = self.listener.accept()
        self.selector.register(connection, selectors.EVENT_READ, lambda: self.receive(connection))

    def receive(self, connection: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
        message, streams, _, _ = socket.recv_fds(connection, 2**20, 3)
        if not message:  # whoever waited for the command is gone
            self.selector.unregister(connection)
            child = self.running.pop(connection, None)
            connection.close()
            if child:
                _kill(child)
            return None
        child = os.fork()
        if not child:
            os.setsid()
            self.close()
            return json.loads(message), streams
        for stream in streams:
            os.close(stream)
        self.running[connection] = child
        process = os.pidfd_open(child)
        self.selector.register(process, selectors.EVENT_READ, lambda: self.ended(connection, child, process))
        connection.send(str(child).encode())
        return None

    def ended(self, connection: socket.socket, child: int, process: int) -> None:
        self.selector.unregister(process)
        os.close(process)
        _, status = os.waitpid(child, 0)
        if self.running.pop(connection, None):
            with suppress(BrokenPipeError):
                connection.send(str(os.waitstatus_to_exitcode(status)).encode())


def _kill(child: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)


def become(command: dict[str, Any], streams: list[int]) -> None:
    """Make this process that of a command, and run its script."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(command["folder"])
    os.environ.clear()
    os.environ.update(command["environment"])
    script, *_ = sys.argv = command["words"]
    sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in os.environ
    given = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [os.path.dirname(script), *given, *sys.path[1:]]
    sys.meta_path[:0] = [_ImportedAgain(name, at_import) for name, at_import in _AT_IMPORT.items()]
    try:
        runpy.run_path(script, run_name="__main__")
        code: object = None
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    _exit(code)


def _exit(code: object) -> None:
    """End as the interpreter does, but without clearing its modules, which takes half a second for so many."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    if isinstance(code, str):
        print(code, file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    server = ForkServer(sys.argv[1])
    for library in LIBRARIES:
        importlib.import_module(library)
    gc.collect()
    gc.freeze()  # a collection in a new process would copy all that the libraries have made
    print("ready", flush=True)
    become(*server.serve())
