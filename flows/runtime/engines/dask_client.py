"""Connecting to a Dask cluster, and what it does at the moment."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flows.runtime.engines.address import require_scheduler
from flows.runtime.engines.cluster_key import KEY_FILE, cluster_security
from nasgem_core.errors import NasgemError

if TYPE_CHECKING:
    from distributed import Client

_ANSWER = 15.0
"""Seconds in which a scheduler answers."""


def connected(address: str) -> "Client":
    """Return a connection to the scheduler at an address; raises `NasgemError` if it does not answer."""
    from distributed import Client

    security = cluster_security(address)
    require_scheduler(address)
    try:
        return Client(address, security=security, timeout=_ANSWER, set_as_default=False)
    except (OSError, ValueError) as error:
        raise refusal(address, error) from None


def refusal(address: str, error: Exception) -> NasgemError:
    """Return what to say of a scheduler that does not answer as ours does."""
    return NasgemError(
        f"the scheduler at {address} does not admit this machine ({type(error).__name__}): give it the same key, "
        f"{KEY_FILE}, and the same version of Dask"
    )


def cluster_lines(address: str) -> Iterator[str]:
    """Yield a line about a cluster and one for each of its workers: its name, its machine, what it does.

    Raises:
        NasgemError: the scheduler does not answer, or has ended meanwhile.
    """
    with connected(address) as client:
        workers = client.scheduler_info(n_workers=-1).get("workers")
        if workers is None:  # Dask gives nothing while it tries to connect again
            raise NasgemError(f"the scheduler at {address} has just ended: start `nasgem scheduler` again")
        doing = client.processing()
    yield f"{len(workers)} workers, {sum(map(bool, doing.values()))} of them at work"
    for place, worker in sorted(workers.items(), key=lambda each: str(each[1]["name"])):
        tasks = [str(key).rpartition("-")[0] for key in doing.get(place, ())]
        yield f"  {worker['name']:<32} {worker['host']:<20} {', '.join(tasks) or 'waits'}"
