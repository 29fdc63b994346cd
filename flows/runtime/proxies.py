"""Servers of this machine are reached directly, whatever proxy the user has set for the rest of the world."""

import os
from urllib.parse import urlsplit
from urllib.request import getproxies

from nasgem_core.errors import NasgemError

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_EXCEPTIONS = ("no_proxy", "NO_PROXY")
"""Libraries read one or the other."""
_ADDRESSES = ("PREFECT_API_URL", "MLFLOW_TRACKING_URI")


def reach_this_machine_directly() -> None:
    """Exempt the loopback interface from the proxies in the environment, for this process and those that it starts.

    Raises:
        NasgemError: a server elsewhere is configured, and Prefect's client cannot use the proxies.
    """
    if not getproxies().keys() - {"no"}:
        return
    exempt = {name: _with_loopback(name) for name in _EXCEPTIONS}
    os.environ.update(exempt)
    if _usable():
        return
    # Prefect's client reads all proxies, and fails at one that it does not know even if none is to be used.
    for name in _ADDRESSES:
        if _is_elsewhere(os.environ.get(name, "")):
            variables = ", ".join(sorted(one for one in os.environ if one.lower().endswith("_proxy")))
            raise NasgemError(
                f"{name} is the address of another machine, and a client cannot be made with the proxies in the "
                f"environment ({variables}): proxies must begin with http:// or https://, and exceptions must be names "
                "of hosts; correct or unset them"
            )
    os.environ.update(dict.fromkeys(_EXCEPTIONS, "*"))


def _with_loopback(name: str) -> str:
    """Return the hosts that a variable exempts, or the other where it is not set, and those of this machine."""
    given = next((os.environ[one] for one in (name, *_EXCEPTIONS) if os.environ.get(one)), "")
    hosts = [host.strip() for host in given.split(",") if host.strip()]
    return "*" if "*" in hosts else ",".join(dict.fromkeys([*hosts, *_LOOPBACK]))


def _usable() -> bool:
    """Whether a client can be made with the proxies of the environment."""
    import httpx

    try:
        httpx.Client(verify=False).close()  # nothing is asked, so no certificates are read
    except (ImportError, ValueError, httpx.InvalidURL):
        return False
    return True


def _is_elsewhere(address: str) -> bool:
    try:
        url = urlsplit(address)
        return url.scheme in ("http", "https") and url.hostname not in _LOOPBACK
    except ValueError:
        return False
