"""Serving the search as a Prefect deployment: on a schedule, or when someone asks for a run in the UI."""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from flows.runtime.secret import SECRET_FILE
from flows.runtime.server import admits, prefect_server
from flows.runtime.stopping import answer_here
from nasgem_core.errors import ParameterError
from tasks.run.masking import without_secrets
from tasks.run.overrides import check_overrides
from tasks.run.parameters import check_changes, load_config
from tasks.run.progress import say


def serve_search(cron: str | None, name: str, overrides: dict[str, Any] | None) -> None:
    """Serve the search until stopped; each run works in this folder, one at a time.

    Raises:
        NasgemError: the configured Prefect server does not answer, or our own does not start.
        ParameterError: the schedule is not a cron expression, Prefect refuses the name, or an override is wrong or
            names a file outside of this folder. No server was started.
    """
    check_overrides(overrides or {}, load_config())
    check_changes(overrides or {})
    configured = "PREFECT_API_URL" in os.environ
    schedules: list[tuple[Any, datetime]] = []
    with prefect_server(stays=True, first=lambda: schedules.extend(_checked_schedules(cron, name))) as wait_for_server:
        from prefect.runner import Runner
        from prefect.types.entrypoint import EntrypointType

        from flows.search import search

        wait_for_server()
        address = os.environ["PREFECT_API_URL"]
        say(f"serving search/{name} on {address}; stop with Ctrl-C")
        for _, first in schedules:
            say(f"the schedule is in UTC: the first run is at {first:%H:%M} UTC on {first:%Y-%m-%d}")
        if not configured:
            say(f"its pages are at {address.removesuffix('/api')}; user and password are in {SECRET_FILE}")
        elif admits(address):
            say(
                f"{without_secrets(address)} asks for no password: whoever reaches it can start searches as you. Start "
                "it with PREFECT_SERVER_API_AUTH_STRING, or unset PREFECT_API_URL"
            )
        # By SIGTERM, Prefect's own would wait until the run that is going on has finished.
        Runner.handle_sigterm = staticmethod(answer_here)  # type: ignore[method-assign, assignment]
        with _own_temporary_folder():
            search.serve(
                name=name,
                schedules=[schedule for schedule, _ in schedules],
                parameters={"overrides": overrides or {}},
                limit=1,
                description="NASGEM search in this folder; `overrides` sets parameters by dotted name.",
                # By its file, Prefect would put the current folder first, where a user may have a `flows.py`.
                entrypoint_type=EntrypointType.MODULE_PATH,
                print_starting_message=False,
            )


@contextmanager
def _own_temporary_folder() -> Iterator[None]:
    """Have this process keep temporary files in a folder that only this user can use, and that goes with the block.

    Prefect's runner keeps its own in one folder for all users of a machine, which belongs to whoever served first.
    """
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="nasgem-serve-", ignore_cleanup_errors=True) as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before


def _checked_schedules(cron: str | None, name: str) -> list[tuple[Any, datetime]]:
    """Return what Prefect needs for a schedule, and its first run in UTC; nothing without a schedule.

    Raises `ParameterError` for what Prefect would refuse.
    """
    from prefect.client.schemas.schedules import CronSchedule
    from prefect.server.schemas.schedules import CronSchedule as ServedSchedule
    from prefect.types.names import BANNED_CHARACTERS

    if not name.strip("' \"") or any(character in name for character in BANNED_CHARACTERS):
        raise ParameterError(f"name = {name!r:.80}: letters, without any of {' '.join(BANNED_CHARACTERS)}, are needed")
    if cron is None:
        return []
    # Prefect takes seconds and years as further fields, and random minutes, which would be others at each start.
    usual = (len(cron.split()) == 5 and "(" not in cron) or cron.startswith("@")
    try:
        schedule = CronSchedule(cron=cron if usual else "")
    except ValueError:
        raise ParameterError(
            f"cron = {cron!r:.80}: five fields such as '0 2 * * *' (every night at two) are needed"
        ) from None
    try:
        (first,) = asyncio.run(ServedSchedule(cron=cron).get_dates(1))
    except ValueError:
        raise ParameterError(f"cron = {cron!r:.80}: such a date never comes; name a day that the month has") from None
    return [(schedule, first)]
