"""Workers that start at once: they are forked from a process that has imported what a training needs.

A new process takes some six seconds of processor time for these imports, which a search with two workers in two stages
would spend four times.
"""

import atexit
import multiprocessing
import os
import resource
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import forkserver
from typing import Any, Self, TypeVar

from prefect.task_runners import ProcessPoolTaskRunner

from flows.runtime.processes import end_children
from nasgem_core.errors import NasgemError
from tasks.store.unkept_record import UnkeptRecordError

T = TypeVar("T")

_ADDRESS_SPACE = 6 * 2**30
"""Bytes that the libraries of a worker need; with less, OpenBLAS tries to get its memory without end."""
_IMPORTED = ("prefect.task_engine", "torch._dynamo", "tasks.stages.proxy", "tasks.stages.small_gemnet")
"""Torch imports the second one when it makes an optimiser. No import may start a thread or touch a GPU."""

atexit.register(end_children)  # they end by themselves too, but take a second for it


class _Pool(ProcessPoolExecutor):
    """A pool whose functions raise `Exception` alone: Prefect would wait for ever for one that raises anything else."""

    def submit(self, function: Callable[..., T], /, *arguments: Any, **keywords: Any) -> "Future[T]":
        """Start a function in a process."""
        return super().submit(_with_os_errors, function, *arguments, **keywords)


def _with_os_errors(function: Callable[..., T], *arguments: Any, **keywords: Any) -> T:
    """Call a function; raise the error of the system where a record could not be written."""
    try:
        return function(*arguments, **keywords)
    except UnkeptRecordError as error:
        raise error.as_os_error() from None


class ForkedWorkers(ProcessPoolTaskRunner):
    """Prefect's pool of processes, which would start every process from nothing."""

    def __enter__(self) -> Self:
        super().__enter__()
        spawning: Any = self._executor
        self._executor = _Pool(
            self._max_workers,
            multiprocessing.get_context("forkserver"),
            initializer=spawning._initializer,
            initargs=spawning._initargs,
        )
        return self

    def submit(self, *arguments: Any, **keywords: Any) -> Any:
        """Start a task as Prefect does; the process that workers are forked from is started before the first one.

        Raises:
            NasgemError: a process may use too little address space here.
        """
        _require_address_space()
        prepare_fork_server()
        return super().submit(*arguments, **keywords)


def _require_address_space() -> None:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < _ADDRESS_SPACE:
        raise NasgemError(
            f"a process may use {limit / 2**30:.1f} GiB of address space here (ulimit -v), and a worker needs "
            f"{_ADDRESS_SPACE / 2**30:.0f}: raise the limit; --workers bounds the memory that is used"
        )


def prepare_fork_server() -> None:
    """Start the process that workers are forked from, if it does not run: without a user's `tasks.py` in its path."""
    forkserver.set_forkserver_preload(list(_IMPORTED))
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before
