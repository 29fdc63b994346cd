"""Serving the search as a Prefect deployment: on a schedule, or when someone asks for a run in the UI."""

import os
from typing import Any

from nasgem_core.errors import NasgemError, ParameterError

DEPLOYMENT = "nasgem"


def serve_search(cron: str | None, name: str, overrides: dict[str, Any] | None) -> None:
    """Serve the search until stopped; each run works in this folder, one at a time.

    Raises:
        NasgemError: no Prefect server is configured.
        ParameterError: the schedule is no cron expression.
    """
    address = os.environ.get("PREFECT_API_URL")
    if not address:
        raise NasgemError(
            "serving needs a Prefect server that stays: start one with `prefect server start --host 127.0.0.1`, and "
            "set PREFECT_API_URL=http://127.0.0.1:4200/api here"
        )
    from flows.search import search
    from tasks.progress import say

    say(f"serving search/{name} on {address}; stop with Ctrl-C")
    try:
        search.serve(
            name=name,
            cron=cron,
            parameters={"overrides": overrides or {}},
            limit=1,
            description="NASGEM search in this folder; `overrides` sets parameters by dotted name.",
            print_starting_message=False,
        )
    except ValueError as error:
        if cron and "cron" in str(error).lower():
            raise ParameterError(f"cron = {cron!r}: {error}; five fields such as '0 2 * * *' are needed") from None
        raise
