"""Whether something listens at the address of a cluster, found out before an engine waits for it."""

import socket

from nasgem_core.errors import NasgemError

_ANSWER = 15.0
"""Seconds in which a machine answers."""


def require_scheduler(address: str) -> None:
    """Raise `NasgemError` if nothing listens at an address, without waiting for an engine to give up."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER).close()
    except (OSError, ValueError, OverflowError) as error:
        raise NasgemError(
            f"nothing listens at {address} ({error}): start `nasgem scheduler` there, or correct the address"
        ) from None
