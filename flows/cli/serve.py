"""Serving the search as a Prefect deployment: on a schedule, or when someone asks for a run in the UI."""

import os
from typing import Any

from flows.runtime.secret import SECRET_FILE
from flows.runtime.server import admits, prefect_server
from nasgem_core.errors import ParameterError
from tasks.run.masking import without_secrets
from tasks.run.overrides import check_overrides
from tasks.run.parameters import load_config
from tasks.run.progress import say


def serve_search(cron: str | None, name: str, overrides: dict[str, Any] | None) -> None:
    """Serve the search until stopped; each run works in this folder, one at a time.

    Raises:
        NasgemError: the configured Prefect server does not answer, or our own does not start.
        ParameterError: the schedule is not a cron expression, or an override names a file outside of this folder.
    """
    check_overrides(overrides or {}, load_config())
    configured = "PREFECT_API_URL" in os.environ
    with prefect_server(stays=True) as wait_for_server:
        from prefect.client.schemas.schedules import CronSchedule
        from prefect.types.entrypoint import EntrypointType

        try:
            schedules = [CronSchedule(cron=cron)] if cron else []
        except ValueError:
            raise ParameterError(
                f"cron = {cron!r}: five fields such as '0 2 * * *' (every night at two) are needed"
            ) from None
        from flows.search import search

        wait_for_server()
        address = os.environ["PREFECT_API_URL"]
        say(f"serving search/{name} on {address}; stop with Ctrl-C")
        if not configured:
            say(f"its pages are at {address.removesuffix('/api')}; user and password are in {SECRET_FILE}")
        elif admits(address):
            say(
                f"{without_secrets(address)} asks for no password: whoever reaches it can start searches as you. Start "
                "it with PREFECT_SERVER_API_AUTH_STRING, or unset PREFECT_API_URL"
            )
        search.serve(
            name=name,
            schedules=schedules,
            parameters={"overrides": overrides or {}},
            limit=1,
            description="NASGEM search in this folder; `overrides` sets parameters by dotted name.",
            # By its file, Prefect would put the current folder first, where a user may have a `flows.py`.
            entrypoint_type=EntrypointType.MODULE_PATH,
            print_starting_message=False,
        )
