"""Workers of a Dask cluster: on this machine, or on all machines where `nasgem worker` runs.

A task of Prefect runs here, in a thread that hands its work to a worker and waits: records are read and written by this
process alone, and a worker needs no server and no folder of ours.
"""

import copy
import inspect
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from prefect import Flow, Task
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.runtime.engines.dask_client import connected
from flows.runtime.engines.dask_settings import WORKER, quiet_dask
from flows.runtime.engines.engine import FatalTaskError, WorkerError
from flows.runtime.engines.remote import description, opened, run_here
from nasgem_core.errors import NasgemError
from tasks.run.progress import say
from tasks.store.caching import SourcePolicy

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

_ANSWER = 15.0
"""Seconds in which a scheduler answers, and workers end."""
_LEAST_THREADS, _PER_WORKER = 64, 4
"""Threads in which tasks wait: workers may join while a flow runs."""
_COUNTED_EVERY = 2.0
"""Seconds after which workers are counted again."""


class DaskEngine:
    """Runs tasks on the workers of a Dask cluster.

    Args:
        workers: how many are started here, if no cluster is named.
        address: of the scheduler of a cluster that runs already, such as tls://10.0.0.1:8786; "" starts one here.
    """

    def __init__(self, workers: int, address: str = "") -> None:
        self.workers, self.address = workers, address
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
        _refuse_others(client)
        return client

    def _started(self) -> "Client":
        from distributed import Client, LocalCluster
        from distributed.security import Security

        # Every user of this machine can reach its ports.
        security = Security.temporary()
        self._local = LocalCluster(
            n_workers=self.workers,
            host="127.0.0.1",
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
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

    def run(self, flow: Flow[[], None]) -> None:
        """Run a flow whose tasks wait in threads."""
        # A cluster of this machine is started by the first task: a flow may find all of its results in the cache.
        workers = self._count() if self.address or self._local else self.workers
        threads = max(_LEAST_THREADS, _PER_WORKER * workers)
        waiting: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=threads)
        flow.with_options(task_runner=waiting)()

    def submit(self, task: Task[..., Any], inputs: Sequence[Mapping[str, Any]]) -> list[PrefectFuture[Any]]:
        """Send a task to the cluster for each of the inputs."""
        if not inputs:
            return []
        sent = copy.copy(task)
        sent.fn = self._remote(task)
        return [sent.submit(**values) for values in inputs]

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
                self._client.restart_workers(busy, timeout=_ANSWER, raise_for_error=False)

    def explained(self, error: BaseException) -> NasgemError | None:
        """Return None: what the cluster does wrong is explained where it is noticed."""
        return None

    def close(self) -> None:
        """Leave the cluster; end it if it was started here."""
        client = self.__dict__.pop("_client", None)
        for each in (client, self._local):
            if each is not None:
                with suppress(Exception):  # it may be gone
                    each.close(timeout=_ANSWER)
        self._local = None

    def _count(self) -> int:
        """Return how many workers there are, or were a moment ago; raises `WorkerError` if the cluster is gone."""
        since, count = self._counted
        if time.monotonic() - since > _COUNTED_EVERY:
            found = self._client.scheduler_info(n_workers=-1)
            if "workers" not in found:  # Dask gives nothing while it tries to connect again
                raise self._lost()
            count = len(found["workers"])
            self._counted = (time.monotonic(), count)
        return count

    def _send(self, name: str, *arguments: Any) -> "Future":
        """Send a call as soon as there is a worker without one: Dask blames all that a dead worker had been given.

        Args:
            name: what Dask shows for it.
            arguments: of `run_here`.
        """
        with self._room:
            try:
                while len(self._sent) >= max(1, self._count()):
                    self._room.wait(_COUNTED_EVERY)
                future = self._client.submit(run_here, *arguments, key=f"{name}-{uuid4().hex}", pure=False)
            except (CancelledError, OSError, RuntimeError) as error:  # what Dask raises without a connection
                raise self._lost() from error
            self._sent.add(future)
        return future

    def _result(self, future: "Future") -> Any:
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker

        try:
            return opened(future.result())
        except KilledWorker as error:
            raise FatalTaskError("its training ended every worker that ran it (out of memory?)") from error
        except (CancelledError, CommClosedError, TimeoutError) as error:
            raise self._lost() from error

    def _lost(self) -> WorkerError:
        where = f"at {self.address}" if self.address else "of this machine"
        return WorkerError(f"the cluster {where} has ended or cannot be reached: start it again and run again to go on")

    def _remote(self, task: Task[..., Any]) -> Callable[..., Any]:
        """Return a function that has a worker run the task."""
        policy = task.cache_policy
        source = policy.source if isinstance(policy, SourcePolicy) else ""
        signature = inspect.signature(task.fn)

        @wraps(task.fn)
        def call(*arguments: Any, **keywords: Any) -> Any:
            values = signature.bind(*arguments, **keywords).arguments
            future = self._send(task.name, task.fn.__module__, task.fn.__name__, source, values)
            try:
                return self._result(future)
            finally:
                with self._room:
                    self._sent.discard(future)
                    self._room.notify()
                future.release()

        return call


def _refuse_others(client: "Client") -> None:
    """Raise `WorkerError` if a worker has other code or other packages than this process."""
    own = description()
    for found in client.run(description).values():
        different = [name for name in own if name != "place" and own[name] != found[name]]
        if different:
            name = different[0]
            detail = "" if name == "code" else f" ({found[name]}, here {own[name]})"
            raise WorkerError(
                f"the worker at {found['place']} has another version of {name}{detail}: update it and start it again"
            )
