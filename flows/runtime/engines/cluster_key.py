"""The key of a Dask cluster: whoever has it can connect, and nobody else.

Whoever reaches a Dask scheduler can run any code as the users of its workers, so scheduler, workers and searches all
show each other this key (mutual TLS).
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from flows.runtime.environment import STATE
from flows.runtime.private_file import make_private_file, read_private
from nasgem_core.errors import NasgemError

if TYPE_CHECKING:
    from distributed.security import Security

KEY_FILE = STATE / "cluster.pem"
"""Holds a private key and the certificate made with it."""

_CERTIFICATE = "-----BEGIN CERTIFICATE-----"


def make_cluster_key(path: Path = KEY_FILE) -> None:
    """Make the key of a cluster if there is none."""

    def content() -> str:
        from distributed.security import Security

        made = Security.temporary()
        return f"{made.tls_client_key}{made.tls_client_cert}"

    make_private_file(path, content)


def cluster_security(address: str, path: Path = KEY_FILE) -> "Security":
    """Return how to connect to a scheduler: with the key, or, at an address that begins with tcp, without any.

    Raises:
        NasgemError: the key is needed and missing, damaged, or open to other users.
    """
    from distributed.security import Security

    if not address.startswith("tls://"):
        return Security()
    text = read_key(address, path, "a private key and its certificate", _is_pair)
    key, certificate, rest = text.partition(_CERTIFICATE)
    certificate += rest
    parts = {"key": key, "cert": certificate}
    both = {f"tls_{role}_{part}": text for role in ("client", "scheduler", "worker") for part, text in parts.items()}
    return Security(require_encryption=True, tls_ca_file=certificate, **both)


def _is_pair(text: str) -> bool:
    key, certificate, rest = text.partition(_CERTIFICATE)
    return bool(certificate) and "PRIVATE KEY" in key and "END CERTIFICATE" in rest


def read_key(address: str, path: Path, what: str, holds: Callable[[str], bool]) -> str:
    """Return the text of a cluster's key, of any engine.

    Args:
        address: of the cluster.
        path: file of the key.
        what: it has to hold, in words.
        holds: says whether a text is that.

    Raises:
        NasgemError: it is missing, damaged, or open to other users.
    """
    remedy = f"copy {path} from the machine of `nasgem scheduler`, for you alone: `chmod 600 {path}`"
    if not path.exists():
        raise NasgemError(f"the cluster at {address} asks for a key, and {path} is missing: {remedy}")
    try:
        text = read_private(path)
    except ValueError as error:
        raise NasgemError(f"{path} {error}: {remedy}") from None
    if not holds(text):
        raise NasgemError(f"{path} does not hold {what}: {remedy}")
    return text
