"""What engines share whose workers have neither our folder nor our servers.

A task of Prefect runs here, in a thread that hands its work to a worker and waits: records are read and written by this
process alone.
"""

import copy
import inspect
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from prefect import Flow, Task
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.runtime.engines.engine import WorkerError
from flows.runtime.engines.remote import Outcome, description, needs_images, opened, run_here
from nasgem_core.errors import NasgemError
from tasks.stages.worker_images import packed_images
from tasks.store.caching import SourcePolicy

ANSWER = 15.0
"""Seconds in which a scheduler answers, and workers end."""
COUNTED_EVERY = 2.0
"""Seconds after which workers are counted again."""
_LEAST_THREADS, _PER_WORKER = 64, 4
"""Threads in which tasks wait: workers may join while a flow runs."""


class RemoteEngine(ABC):
    """Runs tasks on workers that are reached over a network.

    Args:
        workers: how many are started here, if no cluster is named.
        address: of a cluster that runs already; "" starts one here.
    """

    sees_folder = False

    def __init__(self, workers: int, address: str = "") -> None:
        self.workers, self.address = workers, address
        self._packing = threading.Lock()
        self._packed: tuple[str, bytes] = ("", b"")
        """Hash of the images that were sent last, and these: many workers ask for them at once."""

    @abstractmethod
    def connect(self) -> None:
        """Find out now whether the cluster can be used; raises `NasgemError` where it cannot."""

    @abstractmethod
    def running_workers(self) -> int:
        """Return how many workers there are, or will be; raises `WorkerError` if the cluster is gone."""

    @abstractmethod
    def call(self, name: str, function: Callable[..., Outcome], *arguments: Any) -> Outcome:
        """Have a worker call a function, wait, and return the result.

        Args:
            name: what the cluster shows for it.
            function: of a module that workers have too.
            arguments: of the function.

        Raises:
            FatalTaskError: it ended every worker that ran it.
            WorkerError: the cluster is gone.
        """

    @abstractmethod
    def ask(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Have every machine call a function; see `Engine`. It waits for machines that do not answer."""

    @abstractmethod
    def terminate(self) -> None:
        """End the work under way."""

    @abstractmethod
    def close(self) -> None:
        """Leave the cluster; end it if it was started here."""

    def run(self, flow: Flow[[], None]) -> None:
        """Run a flow whose tasks wait in threads."""
        threads = max(_LEAST_THREADS, _PER_WORKER * self.running_workers())
        waiting: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=threads)
        flow.with_options(task_runner=waiting)()

    def submit(self, task: Task[..., Any], inputs: Sequence[Mapping[str, Any]]) -> list[PrefectFuture[Any]]:
        """Send a task to the cluster for each of the inputs."""
        if not inputs:
            return []
        self.connect()  # here, not in a thread: what Ray starts ends with the thread that started it
        sent = copy.copy(task)
        sent.fn = self._remote(task)
        return [sent.submit(**values) for values in inputs]

    def explained(self, error: BaseException) -> NasgemError | None:
        """Return None: what the cluster does wrong is explained where it is noticed."""
        return None

    def lost(self) -> WorkerError:
        """Return what to say of a cluster that is gone."""
        where = f"at {self.address}" if self.address else "of this machine"
        return WorkerError(f"the cluster {where} has ended or cannot be reached: start it again and run again to go on")

    def _images_of(self, inputs: Mapping[str, Any]) -> bytes:
        """Return the images of a task, which are read and packed once for all workers that lack them."""
        wanted = inputs["images_hash"]
        with self._packing:
            if self._packed[0] != wanted:
                self._packed = (wanted, packed_images(inputs))
            return self._packed[1]

    def _remote(self, task: Task[..., Any]) -> Callable[..., Any]:
        """Return a function that has a worker run the task."""
        policy = task.cache_policy
        source = policy.source if isinstance(policy, SourcePolicy) else ""
        signature = inspect.signature(task.fn)

        @wraps(task.fn)
        def call(*arguments: Any, **keywords: Any) -> Any:
            values = signature.bind(*arguments, **keywords).arguments
            asked = (task.fn.__module__, task.fn.__name__, source, values)
            outcome = self.call(task.name, run_here, *asked)
            if needs_images(outcome):
                outcome = self.call(task.name, run_here, *asked, self._images_of(values))
            return opened(outcome)

        return call


def refuse_others(found: Sequence[Mapping[str, str]]) -> None:
    """Raise `WorkerError` if a worker has other code or other packages than this process.

    Args:
        found: the `description` of each worker.
    """
    own = description()
    for each in found:
        different = [name for name in own if name != "place" and own[name] != each[name]]
        if different:
            name = different[0]
            detail = "" if name == "code" else f" ({each[name]}, here {own[name]})"
            raise WorkerError(
                f"the worker at {each['place']} has another version of {name}{detail}: update it and start it again"
            )
