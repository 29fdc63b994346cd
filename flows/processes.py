"""Processes that end with the one that started them, even when that one is killed."""

import os
import signal
import threading
import time
import warnings


def follow_parent() -> None:
    """End this process as soon as its parent is gone."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="follow-parent").start()


def start_worker() -> None:
    """Set up a worker process: it leaves Ctrl-C to its parent, ends with it, and keeps the terminal quiet."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    follow_parent()
    warnings.simplefilter("ignore")
