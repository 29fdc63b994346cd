"""The wait for compiled kernels, announced when it begins."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tasks.run.progress import say

WORDS = "  compiling kernels, each at its first use: this takes longer once ..."
_said: list[bool] = []


@contextmanager
def announced_compiling() -> Iterator[None]:
    """Say once per process that kernels are compiled, when the first one is that was not compiled before."""
    if _said or "numba" not in sys.modules:  # what does not import it compiles nothing
        yield
        return
    from numba.core import event

    class Announcer(event.Listener):
        def on_start(self, _event: Any) -> None:
            if not _said:
                _said.append(True)
                say(WORDS)

        def on_end(self, _event: Any) -> None:
            pass

    with event.install_listener("numba:compile", Announcer()):
        yield
