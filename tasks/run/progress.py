"""Progress of long work on the terminal: what is done, what is left, the best so far.

One bar at a time. On a terminal it is drawn and redrawn; in a log it is a line every few seconds while units finish,
and at least one a minute while none does.
"""

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.padding import Padding
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from nasgem_core.printable import printable
from tasks.run.masking import without_secrets
from tasks.run.terminal import Terminal

console = Terminal(stderr=True)

_LOG_EVERY = 15.0
"""Seconds between two lines where no bar can be drawn."""
_SILENT_FOR = 50.0
"""Seconds without a line after which a log says what is still going on."""
_FIGURES = 8
"""In a line."""
_WIDE = 115
"""Columns of a terminal on which a bar, both times and three figures fit in one line; narrower ones show no bar."""
_NARROW = 72
"""Columns of a terminal on which a name fits next to its numbers, so that the figures go on in the next line."""
_SHORT = {"similarity_loss": "loss", "held_out_similarity_loss": "held-out loss", "images_per_second": "images/s"}
"""Names of figures as a line shows them."""
_LINES_BACK = 8
"""The time left is estimated from the last lines: units that were read from a cache say nothing about the others."""

_printed: set[str] = set()


class Bar:
    """One running bar; `update` moves it."""

    def __init__(self, name: str, total: int, progress: Progress | None) -> None:
        self.name, self.total = name, total
        self.at = ""
        """What is being done, in words, for the lines of a log while no unit finishes."""
        self._progress = progress
        self._task = progress.add_task(name, total=total, figures="") if progress else None
        self._last = (0, "")
        self._last_line = self._last_unit = time.monotonic()
        self._marks: deque[tuple[float, int]] = deque(maxlen=_LINES_BACK)

    def update(self, done: int, figures: dict[str, float] | None = None) -> None:
        """Show that `done` units are finished, with figures such as {"best score": 0.31}."""
        text = figures_text(figures or {})
        self._last = (done, text)
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, figures=text)
            return
        now = self._last_unit = time.monotonic()
        if not self._marks:
            # Work that is continued begins with what was done before.
            self._marks.append((now, done))
        if now - self._last_line >= _LOG_EVERY:
            self._last_line = now
            say(f"{self.name}: {done} of {self.total}{self._left(now, done)}  {text}".rstrip())
            self._marks.append((now, done))

    def beat(self) -> None:
        """Say in a log what is still going on, where nothing was said for long."""
        now = time.monotonic()
        if now - self._last_line >= _SILENT_FOR:
            self._last_line = now
            since = f"the last one {now - self._last_unit:.0f} s ago" if self._last[0] else "none yet"
            say(f"{self.name}: {self._last[0]} of {self.total}, {since}  {self.at}".rstrip())

    def end(self) -> None:
        """Note in the log of the run how far it came; on the terminal the bar or its lines say so."""
        done, text = self._last
        log(f"{self.name}: {done} of {self.total}  {text}".rstrip())

    def _left(self, now: float, done: int) -> str:
        since, before = self._marks[0]
        if done <= before:
            return ""
        return f", about {(now - since) / (done - before) * (self.total - done):.0f} s left"


class Steps:
    """Says what is done now, such as "writing the ONNX file", where one step may take long and cannot be counted."""

    def __init__(self) -> None:
        self._at = ""
        self._since = self._last_line = time.monotonic()

    def begin(self, step: str) -> None:
        """Say that a step begins."""
        self._at = step
        self._since = self._last_line = time.monotonic()
        say(f"  {step}")

    def beat(self) -> None:
        """Say that the step goes on, where nothing was said for long."""
        now = time.monotonic()
        if self._at and now - self._last_line >= _SILENT_FOR:
            self._last_line = now
            say(f"  still {self._at}, for {now - self._since:.0f} s")


@contextmanager
def said_steps() -> Iterator[Steps]:
    """Say, while the block runs, which step it is at, at least once a minute."""
    steps = Steps()
    with _beating(steps):
        yield steps


@contextmanager
def progress_bar(name: str, total: int) -> Iterator[Bar]:
    """Show a bar named `name` of `total` units while the block runs."""
    if not (console.is_terminal and sys.stderr.isatty()):
        bar = Bar(name, total, None)
        with _beating(bar):
            yield bar
        bar.end()
        return
    with Progress(*_columns(console.width), console=console, transient=False) as progress:
        bar = Bar(printable(name), total, progress)
        yield bar
        bar.end()


@contextmanager
def _beating(work: Bar | Steps) -> Iterator[None]:
    """Let a bar or steps speak up now and then while the block runs, whatever that waits for."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(_SILENT_FOR / 10):
            work.beat()

    thread = threading.Thread(target=beat, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _columns(width: int) -> tuple[ProgressColumn, ...]:
    """Return what is shown of work on a terminal of that width; only words go on in a next line, no number is cut."""
    figures = TextColumn("{task.fields[figures]}", table_column=Column())
    left = (TextColumn("left"), TimeRemainingColumn())
    if width >= _WIDE:
        name = TextColumn("{task.description:<34}")
        return name, BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn(), *left, figures
    name = TextColumn("{task.description}", table_column=Column(no_wrap=width >= _NARROW))
    return name, MofNCompleteColumn(), *left, figures


def say(message: str, *, once: bool = False) -> None:
    """Print one line for the user, without passwords, and note it in the log of the run.

    On a terminal that is too narrow it goes on in the next line, at a word and as far to the right.

    Args:
        message: the line.
        once: what this process has printed before is only noted in the log.
    """
    words = without_secrets(message)
    if once and words in _printed:
        log(message)
        return
    _printed.add(words)
    if console.is_terminal:
        indent = len(words) - len(words.lstrip(" "))
        console.print(Padding(words[indent:], (0, 0, 0, indent), expand=False))
    else:
        console.print(words, soft_wrap=True)
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
    words = [f"{_SHORT.get(name, name.replace('_', ' '))} {value:.4g}" for name, value in figures.items()]
    return "  ".join(words[:_FIGURES]) + (" ..." if len(words) > _FIGURES else "")
