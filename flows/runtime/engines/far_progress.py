"""How far long trainings are, on this machine or on those of a cluster, from the headers of their checkpoints."""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from flows.runtime.engines.engine import Engine
from nasgem_core.training.checkpoint import Reached
from tasks.stages.worker_training import reached_in

ASKED_EVERY = 15.0
"""Seconds between two questions to a cluster, whose workers leave a checkpoint once a minute."""


class FarProgress:
    """Follows trainings without waiting for any machine.

    Args:
        engine: whose workers train.
        folders: of the checkpoints of each training, the same for whoever does it.
    """

    def __init__(self, engine: Engine, folders: Sequence[Path]) -> None:
        self._engine, self._folders = engine, [str(folder) for folder in folders]
        self._lock, self._known = threading.Lock(), [Reached()] * len(folders)
        self._asked = float("-inf")
        self._question: threading.Thread | None = None

    def look(self) -> list[Reached]:
        """Return how far each training is, as far as is known; ask the machines of a cluster in the background."""
        self._keep(reached_in(self._folders))
        due = time.monotonic() - self._asked >= ASKED_EVERY
        waiting = self._question is not None and self._question.is_alive()
        if due and not waiting and not self._engine.sees_folder:
            self._asked = time.monotonic()
            # A machine that hangs would keep a thread that is waited for at the end.
            self._question = threading.Thread(target=self._ask, name="progress of workers", daemon=True)
            self._question.start()
        return list(self._known)

    def _ask(self) -> None:
        with suppress(Exception):  # a cluster that is gone is explained where its results are waited for
            for found in self._engine.ask(reached_in, self._folders):
                self._keep(found)

    def _keep(self, found: Sequence[Reached]) -> None:
        """Keep the farthest of each: where its worker died, the checkpoint of another machine may be older."""
        with self._lock:
            self._known = [max(both, key=lambda each: each.step) for both in zip(self._known, found, strict=True)]
