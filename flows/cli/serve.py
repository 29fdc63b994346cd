"""Serving the search as a Prefect deployment: on a schedule, or when someone asks for a run in the UI."""

import os
from typing import Any

from nasgem_core.errors import NasgemError, ParameterError


def serve_search(cron: str | None, name: str, overrides: dict[str, Any] | None) -> None:
    """Serve the search until stopped; each run works in this folder, one at a time.

    Raises:
        NasgemError: no Prefect server is configured.
        ParameterError: the schedule is not a cron expression.
    """
    address = os.environ.get("PREFECT_API_URL")
    if not address:
        raise NasgemError(
            "serving needs a Prefect server that keeps running: start one with "
            "`prefect server start --host 127.0.0.1`, and set PREFECT_API_URL=http://127.0.0.1:4200/api here"
        )
    from prefect.client.schemas.schedules import CronSchedule

    try:
        schedules = [CronSchedule(cron=cron)] if cron else []
    except ValueError:
        raise ParameterError(
            f"cron = {cron!r}: five fields such as '0 2 * * *' (every night at two) are needed"
        ) from None
    from flows.search import search
    from tasks.run.progress import say

    say(f"serving search/{name} on {address}; stop with Ctrl-C")
    search.serve(
        name=name,
        schedules=schedules,
        parameters={"overrides": overrides or {}},
        limit=1,
        description="NASGEM search in this folder; `overrides` sets parameters by dotted name.",
        print_starting_message=False,
    )
