"""Processes that end with the one that started them, even when that one is killed."""

import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver
from pathlib import Path


def follow(ancestor: int) -> None:
    """End this process as soon as a parent, or the parent of one, is gone; it may be gone already."""

    def watch() -> None:
        while _descends_from(ancestor):
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="follow-parent").start()


def _descends_from(ancestor: int) -> bool:
    process = os.getppid()
    try:
        while process not in (ancestor, 0, 1):
            process = parent_of(process)
    except OSError:  # one between has ended, or there is no /proc here
        return False
    return process == ancestor


def parent_of(process: int) -> int:
    """Return the parent of a process; raises `OSError` where it has ended."""
    # The name, in parentheses, may hold blanks.
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def end_children() -> None:
    """End the workers that this process has started, and the process that they were forked from, at once."""
    for worker in multiprocessing.active_children():
        worker.kill()
    server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    if server is not None:
        with suppress(ProcessLookupError):
            os.kill(server, signal.SIGKILL)


@contextmanager
def ignoring_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back while the block runs; threads started in it, and their processes, never get it."""
    # New threads and processes inherit the mask. Threads that run already may still receive the signal, and Python then
    # calls the handler in the main thread, so the handler waits as well.
    heard: list[int] = []
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    answers = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, lambda number, _: heard.append(number)) if answers else None
    try:
        yield
    finally:
        if answers:
            signal.signal(signal.SIGINT, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if heard:
            signal.raise_signal(signal.SIGINT)


def start_worker() -> None:
    """Set up a worker process: it ends with its parent and keeps the terminal quiet."""
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        follow(parent.pid)
    warnings.simplefilter("ignore")
