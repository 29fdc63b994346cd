"""Processes that end with the one that started them, even when that one is killed."""

import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


def follow(parent: int) -> None:
    """End this process as soon as `parent`, the process that started it, is gone; it may be gone already."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="follow-parent").start()


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
