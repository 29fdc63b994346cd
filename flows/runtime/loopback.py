"""The loopback interface, on which a command and the Prefect server that it starts talk."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from nasgem_core.errors import NasgemError

HOST = "127.0.0.1"
_WAITING = 2048
"""Requests that may wait while there is no server."""


@contextmanager
def listening(port: int = 0) -> Iterator[socket.socket]:
    """Provide a socket on the loopback interface, in which requests wait for a server; any port if this is in use.

    Raises:
        NasgemError: the interface is down, as in a container or a namespace where nobody has switched it on.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            listener.bind((HOST, 0))
        listener.listen(_WAITING)
        _require_connection(listener)
        yield listener


def _require_connection(listener: socket.socket) -> None:
    try:
        socket.create_connection(listener.getsockname(), timeout=5).close()
    except OSError as error:
        raise NasgemError(
            f"the loopback interface ({HOST}) cannot be used: {error.strerror or error}. A search reaches its Prefect "
            "server through it; switch it on with `ip link set lo up`"
        ) from None


def api_address(listener: socket.socket) -> str:
    """Return the address of the API that is served on a socket."""
    return f"http://{HOST}:{listener.getsockname()[1]}/api"
