"""What Prefect reads from the environment, while a server of our own is in use."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_KEPT = ("PREFECT_HOME", "PREFECT_CLI_", "PREFECT_FLOWS_", "PREFECT_LOGGING_", "PREFECT_TASKS_", "PREFECT__")
"""Variables that say how work is done. All others of Prefect say where: another server, database or storage."""

_OWN = {
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}

_OURS = "NASGEM_SERVER"
"""Variable with the address of a server of our own, for the processes that use it."""


@contextmanager
def settings_of_own_server(address: str, secret: str) -> Iterator[dict[str, str]]:
    """Have Prefect in this process, and in those that it starts, use a server; give the environment of that server.

    What the user has set for another server is set aside until the block ends: an address of a database, a password or
    a place for results would be taken for ours.

    Args:
        address: of the API.
        secret: user and password that the server asks for.
    """
    before = {name: value for name, value in os.environ.items() if name.startswith("PREFECT_")}
    for name in before:
        if not name.startswith(_KEPT):
            del os.environ[name]
    os.environ |= {**_OWN, "PREFECT_API_URL": address, "PREFECT_API_AUTH_STRING": secret, _OURS: address}
    try:
        yield {**os.environ, **_database(), "PREFECT_SERVER_API_AUTH_STRING": secret}
    finally:
        for name in [name for name in os.environ if name.startswith("PREFECT_")]:
            del os.environ[name]
        os.environ |= before
        os.environ.pop(_OURS, None)


def server_of_user() -> str:
    """Return the address of a server that the user has named, "" where one of our own is in use."""
    address = os.environ.get("PREFECT_API_URL", "")
    return "" if address == os.environ.get(_OURS) else address


def _database() -> dict[str, str]:
    """Return where the server keeps its database if Prefect would not find it by the name of its folder."""
    home = os.environ.get("PREFECT_HOME", "")
    if "?" not in home:
        return {}
    # In an address a question mark ends the path and cannot be quoted; the path from here has none.
    path = os.path.join(os.path.relpath(home), "prefect.db")
    return {"PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{path}"}
