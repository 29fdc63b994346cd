"""A user's mistake, a fault of the machine or Ctrl-C ends with one clear line and a non-zero exit, no traceback."""

import shutil
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import NoReturn, TextIO

from flows.cli.faults import explain, full_disk
from flows.runtime.stopping import answering_signals
from nasgem_core.errors import NasgemError
from nasgem_core.printable import printable
from tasks.run.masking import without_secrets
from tasks.run.terminal import between_words
from tasks.store.unkept_record import UnkeptRecordError

_KEPT = (
    "Everything that was finished is kept (trained cells, encoders, checkpoints, stage files); run the same command "
    "again to go on"
)


@contextmanager
def guarded(stopped: str = _KEPT) -> Iterator[None]:
    """Run a command; turn what a user can fix into a message; after Ctrl-C or SIGTERM say what is kept of its work."""
    sys.excepthook = _show
    for stream in (sys.stdout, sys.stderr):
        _print_all_letters(stream)
    with answering_signals(f"stopped. {stopped}") as stopping:
        try:
            yield
        except KeyboardInterrupt:
            _end(stopping.last_words, stopping.code)
        except (Exception, UnkeptRecordError) as error:
            if stopping.heard:  # a library, such as Numba while it compiles, has made another error of the interrupt
                _end(stopping.last_words, stopping.code)
            message = full_disk(error) or (str(error) if isinstance(error, NasgemError) else explain(error))
            if message is None:
                raise
            _end(message, 1)


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print a traceback without the passwords of addresses, which other packages put into their messages."""
    sys.stderr.write(without_secrets("".join(traceback.format_exception(kind, error, trace))))


def _print_all_letters(stream: TextIO) -> None:
    """Have letters that a terminal's encoding lacks written by their numbers, where Python would raise an error."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")


def _end(message: str, code: int) -> NoReturn:
    words = printable(without_secrets(f"nasgem: {message}"))
    if sys.stderr.isatty():
        words = between_words(words, shutil.get_terminal_size().columns)
    print(words, file=sys.stderr, flush=True)
    sys.exit(code)
