"""Progress of long work on the terminal: what is done, what is left, the best so far.

One bar at a time. On a terminal it is drawn and redrawn; in a log it is a line every few seconds.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

console = Console(stderr=True, highlight=False)

_LOG_EVERY = 15.0
"""Seconds between two lines where no bar can be drawn."""


class Bar:
    """One running bar; `update` moves it."""

    def __init__(self, name: str, total: int, progress: Progress | None) -> None:
        self.name, self.total = name, total
        self._progress = progress
        self._task = progress.add_task(name, total=total, figures="") if progress else None
        self._started = self._last_line = time.monotonic()

    def update(self, done: int, figures: dict[str, float] | None = None) -> None:
        """Show that `done` units are finished, with figures such as {"best score": 0.31}."""
        text = "  ".join(f"{name} {value:.4g}" for name, value in (figures or {}).items())
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, figures=text)
        elif time.monotonic() - self._last_line >= _LOG_EVERY:
            self._last_line = time.monotonic()
            left = (self._last_line - self._started) / max(done, 1) * (self.total - done)
            say(f"{self.name}: {done} of {self.total}, about {left:.0f} s left  {text}".rstrip())


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
        yield Bar(name, total, progress)


def say(message: str) -> None:
    """Print one line for the user."""
    console.print(message, markup=False, soft_wrap=True)
