"""The processes of a Dask cluster that users start: a scheduler on one machine, workers on each."""

import asyncio
import os
import socket
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from flows.runtime.engines.address import require_scheduler
from flows.runtime.engines.cluster_key import KEY_FILE, cluster_security, make_cluster_key
from flows.runtime.engines.dask_client import refusal
from flows.runtime.engines.dask_settings import WORKER, quiet_dask, show_pages
from flows.runtime.forked_workers import prepare_fork_server
from nasgem_core.errors import NasgemError
from tasks.run.progress import say

if TYPE_CHECKING:
    from distributed.security import Security

_OPEN_TO_ALL = ("0.0.0.0", "::", "")


def serve_scheduler(host: str, port: int, *, dashboard: bool = False) -> None:
    """Run a scheduler until it is stopped.

    Args:
        host: address of this machine at which it listens, 127.0.0.1 for this machine alone.
        port: where it listens.
        dashboard: have Dask show what the cluster does to whoever can connect to this machine's loopback address: its
            pages do not ask for a password.

    Raises:
        NasgemError: it cannot listen there.
    """
    _require_free(host, port)
    quiet_dask()
    pages = show_pages() if dashboard else ""
    make_cluster_key()
    address = f"tls://{socket.gethostname() if host in _OPEN_TO_ALL else host}:{port}"
    asyncio.run(_scheduling(host, port, address, pages))


async def _scheduling(host: str, port: int, address: str, pages: str) -> None:
    from distributed import Scheduler

    scheduler = Scheduler(
        host=host,
        port=port,
        protocol="tls",
        security=cluster_security(address),
        dashboard=bool(pages),
        dashboard_address=pages or "127.0.0.1:0",  # it listens in any case
    )
    async with scheduler:
        say(f"the scheduler listens at {address}; Ctrl-C ends it")
        say(f"  on each machine: copy {KEY_FILE} into its folder, for you alone, then `nasgem worker {address}`")
        say(f"  to search there: `nasgem search --cluster {address}`")
        if pages:
            say(f"  its dashboard, which every user of this machine can read: http://{pages}/status")
        await scheduler.finished()


def _require_free(host: str, port: int) -> None:
    """Raise `NasgemError` if the scheduler could not listen, before Dask tries and leaves sockets open."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(place)
    except OSError as error:
        raise NasgemError(
            f"the scheduler cannot listen at {host}:{port} ({error.strerror}): choose another --port, or an address of "
            "this machine as --host"
        ) from None


def serve_workers(address: str, count: int) -> None:
    """Run workers of a cluster until they are stopped, or its scheduler ends.

    Args:
        address: of the scheduler.
        count: how many trainings run at the same time.

    Raises:
        NasgemError: the scheduler does not answer, or refuses the key.
    """
    quiet_dask()
    prepare_fork_server()
    if address.startswith("tcp://"):
        say("  this cluster has no key: whoever reaches its scheduler can run any code here as you")
    security = cluster_security(address)
    require_scheduler(address)
    asyncio.run(_working(address, count, security))


async def _working(address: str, count: int, security: "Security") -> None:
    from distributed import Nanny

    own = f"{socket.gethostname()}-{os.getpid()}"
    async with AsyncExitStack() as stack:
        nannies = [
            Nanny(address, nthreads=1, name=f"{own}-{number}", security=security, **WORKER) for number in range(count)
        ]
        try:
            for nanny in nannies:
                await stack.enter_async_context(nanny)
        except (OSError, RuntimeError) as error:
            raise refusal(address, error) from None
        say(f"{count} workers of {address}; Ctrl-C ends them")
        await asyncio.wait([asyncio.ensure_future(nanny.finished()) for nanny in nannies])
        say("the scheduler has ended, and the workers with it")
