"""Workers that are processes of this machine."""

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from prefect import Flow, Task
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner

from flows.runtime.engines.engine import WorkerError
from flows.runtime.forked_workers import ForkedWorkers
from flows.runtime.processes import end_children, ignoring_interrupts, start_worker
from nasgem_core.errors import NasgemError
from tasks.run.placement import SLOT


class ProcessPool:
    """Runs tasks in processes of this machine, which end with this one.

    Args:
        workers: how many.
        address: "", as there is no cluster.
    """

    sees_folder = True

    def __init__(self, workers: int, address: str = "") -> None:
        self.workers = workers

    def connect(self) -> None:
        """Do nothing: each flow starts its processes."""

    def run(self, flow: Flow[[], None]) -> None:
        """Run a flow with a pool of its own."""
        pool: TaskRunner[Any] = ForkedWorkers(max_workers=self.workers, initializer=_start_worker)
        flow.with_options(task_runner=pool)()

    def submit(self, task: Task[..., Any], inputs: Sequence[Mapping[str, Any]]) -> list[PrefectFuture[Any]]:
        """Start a task in the pool of the running flow for each of the inputs."""
        # Ctrl-C reaches every process of a terminal; only this one is to answer it.
        with ignoring_interrupts():
            return [task.submit(**values) for values in inputs]

    def ask(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Call a function here: this is the only machine."""
        return [function(*arguments)]

    def terminate(self) -> None:
        """End all worker processes; Prefect would wait for them."""
        end_children()

    def explained(self, error: BaseException) -> NasgemError | None:
        """Explain that a process of the pool was ended."""
        if not isinstance(error, BrokenProcessPool):
            return None
        return WorkerError(
            "a worker was ended from outside (out of memory?): run again to go on, or use fewer --workers"
        )

    def close(self) -> None:
        """Each flow has ended its pool."""


def slot() -> int:
    """Return the place of this process among those that its parent has started, 0 in the parent itself."""
    identity = multiprocessing.current_process()._identity
    return identity[-1] - 1 if identity else 0


def _start_worker() -> None:
    start_worker()
    os.environ[SLOT] = str(slot())
