"""Progress of long work on the terminal: what is done, what is left, the best so far.

One bar at a time. On a terminal it is drawn and redrawn; in a log it is a line every few seconds.
"""

import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from nasgem_core.printable import printable
from tasks.run.masking import without_secrets
from tasks.run.terminal import Terminal

console = Terminal(stderr=True)

_LOG_EVERY = 15.0
"""Seconds between two lines where no bar can be drawn."""
_LINES_BACK = 8
"""The time left is estimated from the last lines: units that were read from a cache say nothing about the others."""


class Bar:
    """One running bar; `update` moves it."""

    def __init__(self, name: str, total: int, progress: Progress | None) -> None:
        self.name, self.total = name, total
        self._progress = progress
        self._task = progress.add_task(name, total=total, figures="") if progress else None
        self._last_line = time.monotonic()
        self._marks: deque[tuple[float, int]] = deque(maxlen=_LINES_BACK)

    def update(self, done: int, figures: dict[str, float] | None = None) -> None:
        """Show that `done` units are finished, with figures such as {"best score": 0.31}."""
        text = "  ".join(f"{name} {value:.4g}" for name, value in (figures or {}).items())
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, figures=text)
            return
        now = time.monotonic()
        if not self._marks:
            # Work that is continued begins with what was done before.
            self._marks.append((now, done))
        if now - self._last_line >= _LOG_EVERY:
            self._last_line = now
            say(f"{self.name}: {done} of {self.total}{self._left(now, done)}  {text}".rstrip())
            self._marks.append((now, done))

    def _left(self, now: float, done: int) -> str:
        since, before = self._marks[0]
        if done <= before:
            return ""
        return f", about {(now - since) / (done - before) * (self.total - done):.0f} s left"


@contextmanager
def progress_bar(name: str, total: int) -> Iterator[Bar]:
    """Show a bar named `name` of `total` units while the block runs."""
    if not (console.is_terminal and sys.stderr.isatty()):
        yield Bar(name, total, None)
        return
    columns = (
        TextColumn("{task.description:<34}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
    )
    with Progress(*columns, console=console, transient=False) as progress:
        yield Bar(printable(name), total, progress)


def say(message: str) -> None:
    """Print one line for the user, without passwords."""
    console.print(without_secrets(message), soft_wrap=True)
