"""Who runs the tasks of a flow side by side.

Nothing else knows what a worker is: another engine, such as Dask or Ray, is one more class with these methods.
"""

import multiprocessing
import os
from collections.abc import Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol

from prefect import Flow, Task
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner

from flows.runtime.forked_workers import ForkedWorkers
from flows.runtime.processes import end_children, ignoring_interrupts, start_worker
from nasgem_core.errors import NasgemError
from tasks.run.placement import SLOT


class WorkerError(NasgemError):
    """A worker was ended from outside."""


class Runner(Protocol):
    """Runs flows, and hands their tasks to workers."""

    def run(self, flow: Flow[[], None]) -> None:
        """Run a flow; inside of it, tasks can be submitted."""

    def submit(self, task: Task[..., Any], inputs: Sequence[Mapping[str, Any]]) -> list[PrefectFuture[Any]]:
        """Start a task on the workers for each of the inputs; return the futures in their order."""

    def terminate(self) -> None:
        """End the work that is under way, which may take hours, at once."""

    def died(self, error: BaseException) -> bool:
        """Whether an error means that a worker was ended from outside."""

    def slot(self) -> int:
        """Return the number of the worker that this process is, from 0; workers take the GPUs in turn by it."""


class ProcessPool:
    """Runs tasks in processes of this machine, which end with this one.

    Args:
        workers: how many.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(self, flow: Flow[[], None]) -> None:
        """Run a flow with a pool of its own."""
        pool: TaskRunner[Any] = ForkedWorkers(max_workers=self.workers, initializer=_start_worker)
        flow.with_options(task_runner=pool)()

    def submit(self, task: Task[..., Any], inputs: Sequence[Mapping[str, Any]]) -> list[PrefectFuture[Any]]:
        """Start a task in the pool of the running flow for each of the inputs."""
        # Ctrl-C reaches every process of a terminal; only this one is to answer it.
        with ignoring_interrupts():
            return [task.submit(**values) for values in inputs]

    def terminate(self) -> None:
        """End all worker processes; Prefect would wait for them."""
        end_children()

    def died(self, error: BaseException) -> bool:
        """Whether a process of the pool was ended."""
        return isinstance(error, BrokenProcessPool)

    @staticmethod
    def slot() -> int:
        """Return the place of this process among those that its parent has started, 0 in the parent itself."""
        identity = multiprocessing.current_process()._identity
        return identity[-1] - 1 if identity else 0


def _start_worker() -> None:
    start_worker()
    os.environ[SLOT] = str(ProcessPool.slot())
