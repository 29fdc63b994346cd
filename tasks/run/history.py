"""When, where and from which code each stage of a search got its results: what a report says of its origin.

A stage that is run again and comes out the same keeps its entry, so a page that is made again has the same bytes.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from nasgem_core.files import content_of
from nasgem_core.json_text import parse_json
from tasks.store.artifacts import write_bytes

FOLDER = Path(".nasgem") / "history"
_LAST = 250e9
"""Seconds: no moment or duration is as large; the years of calendars end there."""


@dataclass(frozen=True)
class StageOrigin:
    """The origin of the results of one stage.

    Args:
        digest: fingerprint of the results; empty while the stage has none, because it was stopped.
        finished: seconds since the epoch.
        seconds: how long the stage ran, parts that were stopped included.
        machine: device and number of cores.
        commit: of the repository, empty where there is none.
        changed: whether files that git tracks differed from the commit.

    Raises:
        TypeError: a value is of another type.
        ValueError: a time is none that a calendar has.
    """

    digest: str
    finished: float
    seconds: float
    machine: str
    commit: str
    changed: bool

    def __post_init__(self) -> None:
        texts, times = (self.digest, self.machine, self.commit), (self.finished, self.seconds)
        if not all(isinstance(text, str) for text in texts) or not all(isinstance(time, int | float) for time in times):
            raise TypeError("a value is of another type")
        if not all(0 <= time < _LAST for time in times):
            raise ValueError("a time is none that a calendar has")


def note_origin(root: Path, search: str, stage: str, origin: StageOrigin) -> None:
    """Note the origin of a stage's results, or that it was stopped, unless these results are noted already."""
    known = read_origins(root, search)
    if stage in known:
        before = known[stage]
        if before.digest and before.digest == origin.digest:
            return
        if not before.digest:
            origin = replace(origin, seconds=origin.seconds + before.seconds)
        elif not origin.digest:
            return
    entries = {name: asdict(entry) for name, entry in {**known, stage: origin}.items()}
    write_bytes(_file(root, search), json.dumps(entries, indent=1).encode())


def read_origins(root: Path, search: str) -> dict[str, StageOrigin]:
    """Return the origins by stage; nothing where they were not noted, as after results came from another machine."""
    try:
        entries = parse_json(content_of(_file(root, search)))
        return {stage: StageOrigin(**entry) for stage, entry in entries.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def origin_facts(origins: Iterable[StageOrigin]) -> dict[str, str]:
    """Return date, time taken, machines and commits of results in words, by name; nothing without any."""
    entries = sorted((entry for entry in origins if entry.digest), key=lambda entry: entry.finished)
    if not entries:
        return {}
    commits = [f"{entry.commit[:10]}{' with changes' if entry.changed else ''}" for entry in entries if entry.commit]
    facts = {
        "date": moment_text(entries[-1].finished),
        "time taken": elapsed_text(sum(entry.seconds for entry in entries)),
        "machine": "; ".join(dict.fromkeys(entry.machine for entry in entries)),
        "commit": ", ".join(dict.fromkeys(commits)),
    }
    return {name: words for name, words in facts.items() if words}


def moment_text(seconds: float) -> str:
    """Return date and time of a moment, in seconds since the epoch; a file's may be of no year that a calendar has."""
    try:
        return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return "unknown"


def elapsed_text(seconds: float) -> str:
    """Return a duration in its two largest units, such as "2 h 5 min"."""
    total = round(seconds)
    units = {"d": total // 86400, "h": total // 3600 % 24, "min": total // 60 % 60, "s": total % 60}
    words = [f"{count} {unit}" for unit, count in units.items() if count]
    return " ".join(words[:2]) or "0 s"


def machine_words(device: str) -> str:
    """Return device and cores of this machine, such as "cpu (Intel Xeon 2.20GHz), 8 cores"."""
    from nasgem_core.deployment.device import device_name

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"{device_name(device)}, {cores} {'core' if cores == 1 else 'cores'}"


def _file(root: Path, search: str) -> Path:
    return root / FOLDER / f"{search}.json"
