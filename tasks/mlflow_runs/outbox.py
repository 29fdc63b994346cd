"""Runs on their way to MLflow: each waits on disk, from before the first attempt until MLflow has it.

A record is one file, written whole, with the files and models of its run inside. So neither a killed process nor an
unreachable server loses a run, and runs arrive in the order they were put.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nasgem_core.errors import DataError, NasgemError
from nasgem_core.files import remove_leftovers, written_whole
from tasks.mlflow_runs.run_record import RunRecord
from tasks.store.lock import locked
from tasks.store.serialization import decode, encode

SUFFIX = ".run"
_SCHEMA = "nasgem.run/2"
_LEFT_AFTER = 3600.0
"""Seconds after which a file that is not whole was left by a killed process: writing one takes less."""


class RecordRefused(NasgemError):
    """MLflow answers, but will never take this record as it is."""


class Outbox:
    """A folder of records waiting for delivery.

    Args:
        folder: where they wait; created for the first one.
        on_warning: called for each record that had to be moved to `<folder>/refused`.
        clock: nanoseconds since the epoch.
    """

    def __init__(
        self, folder: Path, on_warning: Callable[[str], None], clock: Callable[[], int] = time.time_ns
    ) -> None:
        self.folder = folder
        self._on_warning, self._clock = on_warning, clock
        self._naming = threading.Lock()
        # Not every file there was put by us: someone may have made a copy.
        self._last = max((int(path.stem) for path in self.pending() if path.stem.isdecimal()), default=0)

    def put(self, record: RunRecord) -> None:
        """Write a record to disk; when this returns, it will be delivered."""
        with self._naming:  # names sort by time, also when the clock stands still or goes back
            moment = self._clock()
            self._last = place = max(moment, self._last + 1)
        now = moment / 1e9
        started, ended = (now if time is None else time for time in (record.started, record.ended))
        plain = replace(record, started=started, ended=ended).to_plain()
        with written_whole(self.folder / f"{place:020d}{SUFFIX}") as file:
            file.write(encode({"schema": _SCHEMA, "digest": record.digest(), "record": plain}))

    def pending(self) -> list[Path]:
        """Return the waiting records, oldest first."""
        return sorted(self.folder.glob(f"*{SUFFIX}"))

    def deliver(self, write: Callable[[RunRecord, str], None], more: Callable[[], bool] = lambda: True) -> None:
        """Pass the waiting records, oldest first, to `write(record, digest)`, and remove each when that returns.

        Only one thread or process delivers at a time. A damaged record, or one for which `write` raises
        `RecordRefused`, is moved away with a warning. Any other error of `write` ends the delivery, and that record
        and those after it stay; so do the records that are left when `more` returns False, which is asked after each.
        """
        if not self.pending():
            return
        with locked(self.folder / "deliver.lock"):
            remove_leftovers(self.folder, _LEFT_AFTER)
            while waiting := self.pending():
                for path in waiting:
                    self._deliver_one(path, write)
                    if not more():
                        return

    def _deliver_one(self, path: Path, write: Callable[[RunRecord, str], None]) -> None:
        try:
            write(*_read(path))
        except (DataError, RecordRefused) as error:
            refused = self.folder / "refused"
            refused.mkdir(exist_ok=True)
            path.rename(refused / path.name)
            self._on_warning(f"run record {path.name} was moved to {refused}: {error}")
        else:
            path.unlink()


def _read(path: Path) -> tuple[RunRecord, str]:
    """Return a record and its digest; raises `DataError` where the file is not what `put` wrote."""
    document = decode(path.read_bytes())
    if document["schema"] != _SCHEMA:
        raise DataError(f"it has schema {document['schema']!r}, and this version reads {_SCHEMA!r}")
    return RunRecord.from_plain(document["record"]), document["digest"]
