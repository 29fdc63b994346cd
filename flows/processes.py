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
    """End this process as soon as `parent`, the process that has started it, is gone; it may be gone already."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="follow-parent").start()


@contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back while the block runs; threads begun meanwhile, and their processes, never hear of it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def start_worker() -> None:
    """Set up a worker process: it ends with its parent and keeps the terminal quiet."""
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        follow(parent.pid)
    warnings.simplefilter("ignore")
