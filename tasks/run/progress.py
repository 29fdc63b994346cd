"""Progress of long work on the terminal: what is done, what is left, the best so far.

One bar at a time. On a terminal it is drawn and redrawn; in a log it is a line every few seconds.
"""

import logging
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from nasgem_core.printable import printable
from tasks.run.masking import without_secrets
from tasks.run.terminal import Terminal

console = Terminal(stderr=True)

_LOG_EVERY = 15.0
"""Seconds between two lines where no bar can be drawn."""
_FIGURES = 8
"""In a line."""
_LINES_BACK = 8
"""The time left is estimated from the last lines: units that were read from a cache say nothing about the others."""


class Bar:
    """One running bar; `update` moves it."""

    def __init__(self, name: str, total: int, progress: Progress | None) -> None:
        self.name, self.total = name, total
        self._progress = progress
        self._task = progress.add_task(name, total=total, figures="") if progress else None
        self._last = (0, "")
        self._last_line = time.monotonic()
        self._marks: deque[tuple[float, int]] = deque(maxlen=_LINES_BACK)

    def update(self, done: int, figures: dict[str, float] | None = None) -> None:
        """Show that `done` units are finished, with figures such as {"best score": 0.31}."""
        text = figures_text(figures or {})
        self._last = (done, text)
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

    def end(self) -> None:
        """Note in the log of the run how far it came; on the terminal the bar or its lines say so."""
        done, text = self._last
        log(f"{self.name}: {done} of {self.total}  {text}".rstrip())

    def _left(self, now: float, done: int) -> str:
        since, before = self._marks[0]
        if done <= before:
            return ""
        return f", about {(now - since) / (done - before) * (self.total - done):.0f} s left"


@contextmanager
def progress_bar(name: str, total: int) -> Iterator[Bar]:
    """Show a bar named `name` of `total` units while the block runs."""
    if not (console.is_terminal and sys.stderr.isatty()):
        bar = Bar(name, total, None)
        yield bar
        bar.end()
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
        bar = Bar(printable(name), total, progress)
        yield bar
        bar.end()


def say(message: str) -> None:
    """Print one line for the user, without passwords, and note it in the log of the run."""
    console.print(without_secrets(message), soft_wrap=True)
    log(message)


def log(message: str) -> None:
    """Note one line in the log of the flow or task that is running, which Prefect's pages show; not on the terminal."""
    # Where Prefect is not imported nothing of it runs, and importing it would take a second.
    if "prefect" in sys.modules:
        from prefect.context import FlowRunContext, TaskRunContext
        from prefect.logging import get_run_logger

        if FlowRunContext.get() or TaskRunContext.get():
            get_run_logger().log(logging.INFO, "%s", without_secrets(message))


def figures_text(figures: Mapping[str, float]) -> str:
    """Return the first figures in one line, such as "accuracy 0.31  seconds 12.5"."""
    words = [f"{name} {value:.4g}" for name, value in figures.items()]
    return "  ".join(words[:_FIGURES]) + (" ..." if len(words) > _FIGURES else "")
