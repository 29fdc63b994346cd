"""Workers of a Dask cluster: on this machine, or on all machines where `nasgem worker` runs."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from flows.runtime.engines.dask_client import connected
from flows.runtime.engines.dask_settings import WORKER, quiet_dask
from flows.runtime.engines.engine import FatalTaskError
from flows.runtime.engines.remote import Outcome, description
from flows.runtime.engines.remote_engine import ANSWER, COUNTED_EVERY, RemoteEngine, refuse_others
from flows.runtime.forked_workers import prepare_fork_server
from tasks.run.progress import say

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster


class DaskEngine(RemoteEngine):
    """Runs tasks on the workers of a Dask cluster; its arguments are those of `RemoteEngine`."""

    def __init__(self, workers: int, address: str = "") -> None:
        super().__init__(workers, address)
        self._local: LocalCluster | None = None
        self._sent: set[Future] = set()
        self._room = threading.Condition()
        self._counted = (float("-inf"), 0)

    def connect(self) -> None:
        """Find out now whether the cluster can be used; raises `NasgemError` where it cannot."""
        _ = self._client

    @cached_property
    def _client(self) -> "Client":
        """The connection of this session; raises `NasgemError` if there is no usable cluster."""
        quiet_dask()
        client = self._connected() if self.address else self._started()
        refuse_others(list(client.run(description).values()))
        return client

    def _started(self) -> "Client":
        from distributed import Client, LocalCluster
        from distributed.security import Security

        prepare_fork_server()
        # Every user of this machine can reach its ports.
        security = Security.temporary()
        self._local = LocalCluster(
            n_workers=self.workers,
            host="127.0.0.1",
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},  # it would be open to all users of this machine
            silence_logs=logging.CRITICAL + 1,
            security=security,
            **WORKER,
        )
        return Client(self._local, security=security, set_as_default=False)

    def _connected(self) -> "Client":
        client = connected(self.address)
        if not client.scheduler_info(n_workers=-1)["workers"]:
            say(f"  the cluster has no worker yet: run `nasgem worker {self.address}` on each machine")
        return client

    def running_workers(self) -> int:
        """Return how many workers there are, or will be; raises `WorkerError` if the cluster is gone."""
        # A cluster of this machine is started by the first task: a flow may find all of its results in the cache.
        return self._count() if self.address or self._local else self.workers

    def call(self, name: str, function: Callable[..., Outcome], *arguments: Any) -> Outcome:
        """Have a worker call a function; see `RemoteEngine`."""
        future = self._send(name, function, *arguments)
        try:
            return self._result(future)
        finally:
            with self._room:
                self._sent.discard(future)
                self._room.notify()
            future.release()

    def ask(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Have every worker call a function while it trains; see `Engine`."""
        return list(self._client.run(function, *arguments, on_error="ignore").values())

    def terminate(self) -> None:
        """End the work under way: workers that run tasks of ours are started again."""
        with self._room:
            sent = list(self._sent)
        if not sent:
            return
        with suppress(Exception):  # the cluster may be gone, which is why we are here
            busy = [worker for worker, keys in self._client.processing().items() if {f.key for f in sent} & set(keys)]
            self._client.cancel(sent, force=True)
            if busy:
                self._client.restart_workers(busy, timeout=ANSWER, raise_for_error=False)

    def close(self) -> None:
        """Leave the cluster; end it if it was started here."""
        client = self.__dict__.pop("_client", None)
        for each in (client, self._local):
            if each is not None:
                with suppress(Exception):  # it may be gone
                    each.close(timeout=ANSWER)
        self._local = None

    def _count(self) -> int:
        """Return how many workers there are, or were a moment ago; raises `WorkerError` if the cluster is gone."""
        since, count = self._counted
        if time.monotonic() - since > COUNTED_EVERY:
            found = self._client.scheduler_info(n_workers=-1)
            if "workers" not in found:  # Dask gives nothing while it tries to connect again
                raise self.lost()
            count = len(found["workers"])
            self._counted = (time.monotonic(), count)
        return count

    def _send(self, name: str, function: Callable[..., Outcome], *arguments: Any) -> "Future":
        """Send a call as soon as there is a worker without one: Dask blames all that a dead worker had been given."""
        with self._room:
            try:
                while len(self._sent) >= max(1, self._count()):
                    self._room.wait(COUNTED_EVERY)
                future = self._client.submit(function, *arguments, key=f"{name}-{uuid4().hex}", pure=False)
            except (CancelledError, OSError, RuntimeError) as error:  # what Dask raises without a connection
                raise self.lost() from error
            self._sent.add(future)
        return future

    def _result(self, future: "Future") -> Outcome:
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker

        try:
            found: Outcome = future.result()
        except KilledWorker as error:
            raise FatalTaskError("its training ended every worker that ran it (out of memory?)") from error
        except (CancelledError, CommClosedError, TimeoutError) as error:
            raise self.lost() from error
        return found
