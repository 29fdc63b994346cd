"""The key of a Dask cluster: whoever has it can connect, and nobody else.

Whoever reaches a Dask scheduler can run any code as the users of its workers, so scheduler, workers and searches all
show each other this key (mutual TLS).
"""

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
    remedy = f"copy {KEY_FILE} from the machine of `nasgem scheduler`, for you alone: `chmod 600 {path}`"
    if not path.exists():
        raise NasgemError(f"the cluster at {address} asks for a key, and {path} is missing: {remedy}")
    try:
        text = read_private(path)
    except ValueError as error:
        raise NasgemError(f"{path} {error}: {remedy}") from None
    key, certificate, rest = text.partition(_CERTIFICATE)
    if not certificate or "PRIVATE KEY" not in key or "END CERTIFICATE" not in rest:
        raise NasgemError(f"{path} does not hold a private key and its certificate: {remedy}")
    certificate += rest
    parts = {"key": key, "cert": certificate}
    both = {f"tls_{role}_{part}": text for role in ("client", "scheduler", "worker") for part, text in parts.items()}
    return Security(require_encryption=True, tls_ca_file=certificate, **both)
