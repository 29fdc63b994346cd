"""Ctrl-C and SIGTERM: the first one ends a command in order, and what cannot end in order ends all the same."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flows.runtime.processes import end_children

PATIENCE = 15.0
"""Seconds that flows and servers have for ending in order; they need two or three."""
_SHOW_CURSOR = b"\x1b[?25h"
_SIGNALS: dict[signal.Signals, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
"""With what answers them before a command does; a background job of a shell ignores Ctrl-C, and goes on doing so."""


class Stopping:
    """Answers the signals of one command.

    Args:
        last_words: what to print when it has to end at once.
        exit_now: how it ends then, with its exit code.
        patience: seconds after the first signal until it does, `PATIENCE` by default.
    """

    def __init__(
        self, last_words: str, exit_now: Callable[[int], Any] = os._exit, patience: float | None = None
    ) -> None:
        self.last_words, self.exit_now, self.patience = last_words, exit_now, patience or PATIENCE
        self.code = 128 + signal.SIGINT
        self.heard = False
        """Whether the first signal was answered."""

    def answer(self, number: int, frame: Any) -> None:
        """Interrupt the command at the first signal, and end it at the second."""
        if self.heard:
            self._end()
            return
        self.heard, self.code = True, 128 + number
        os.write(2, b"\nnasgem: stopping ...\n")  # a print may have been interrupted by this signal
        timer = threading.Timer(self.patience, self._end)
        timer.daemon = True
        timer.start()
        raise KeyboardInterrupt

    def _end(self) -> None:
        """End without waiting for anything: every file is written whole, and all processes end with this one."""
        end_children()
        cursor = _SHOW_CURSOR if sys.stderr.isatty() else b""
        os.write(2, cursor + f"nasgem: {self.last_words}\n".encode())
        self.exit_now(self.code)


_current: list[Stopping] = []


@contextmanager
def answering_signals(last_words: str) -> Iterator[Stopping]:
    """Answer Ctrl-C and SIGTERM while the block runs: the first one raises `KeyboardInterrupt` in it.

    Args:
        last_words: what to print if the block does not end soon.
    """
    stopping = Stopping(last_words)
    taken = [number for number, before in _SIGNALS.items() if signal.getsignal(number) is before]
    for number in taken:
        signal.signal(number, stopping.answer)
    _current.append(stopping)
    try:
        yield stopping
    finally:
        _current.pop()
        for number in taken:
            signal.signal(number, _SIGNALS[number])


def answer_in_flow() -> None:
    """Take SIGTERM back from the Prefect flow that has just begun: its engine would wait for the workers.

    In a process of `nasgem serve`, where Prefect ends a run by this signal, nothing is changed.
    """
    if _current and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _current[-1].answer)


def answer_here(number: int, frame: Any) -> None:
    """Answer a signal of which another package would make something else; the handler to give it instead of its own."""
    if _current:
        _current[-1].answer(number, frame)
