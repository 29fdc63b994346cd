"""Running flows from the command line: folder, parameters, server and flow, in the order that they need each other."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.runtime.environment import prepare_environment
from flows.runtime.lock import folder_lock, who_works_here
from flows.runtime.server import prefect_server
from flows.stages.catalogue import Stage, stage_named
from nasgem_core.counts import read_count
from nasgem_core.errors import ParameterError
from tasks.run.parameters import change_parameters, load_config, use_profile
from tasks.run.progress import say

if TYPE_CHECKING:
    from flows.selection import Selection


def run_search(profile: str | None, changes: Mapping[str, Any]) -> None:
    """Change params.yaml as asked, then run the search flow."""
    prepare_environment()
    with folder_lock():
        if profile and use_profile(profile):
            say(f"params.yaml is now the {profile} profile")
        _change(changes)
        with prefect_server() as wait_for_server:
            from flows.runtime.session import open_session
            from flows.search import search

            with open_session():  # what is wrong with parameters or images is reported before the server answers
                wait_for_server()
                search()


def run_stage(name: str, changes: Mapping[str, Any] | None = None) -> None:
    """Change params.yaml as asked, then run the flow of one stage.

    Of several processes started by `torchrun`, the first one does so, and the others take part in its trainings.

    Raises:
        ParameterError: the stage is unknown, or processes cannot share it.
    """
    stage = stage_named(name)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not stage.share:
        raise ParameterError(f"stage {name} cannot be shared by processes: run it without torchrun")
    if int(os.environ.get("RANK", "0")) > 0:
        _take_part(stage)
        return
    prepare_environment()
    with folder_lock():
        _change(changes or {})
        with prefect_server() as wait_for_server:
            from flows.runtime.session import open_session

            flow = stage.flow()
            with open_session() as session:
                wait_for_server()
                session.runner.run(flow)


def _take_part(stage: Stage) -> None:
    prepare_environment()
    if stage.share:
        stage.function(stage.share)(load_config())


def _change(changes: Mapping[str, Any]) -> None:
    """Set parameters and check all of them."""
    if changes and change_parameters(changes):
        say(f"params.yaml: set {', '.join(changes)}")
    load_config()


def run_import(name: str, source: Path | None, label: str | None, truth: str | None) -> None:
    """Import a table of measured cells and print what it holds."""
    prepare_environment()
    from tasks.benchmark.table_import import import_table
    from tasks.benchmark.tables import table_path

    with folder_lock():
        table = import_table(name, source, label, truth)
    say(f"{table_path(name)}: {len(table):,} cells, label {table.label}, truth {table.truth}")
    say(f"metrics: {', '.join(table.metrics)}")


def run_select(macs: str | None, penalty: float | None, top: int) -> "Selection":
    """Choose again under another penalty or budget; only reads, so a search may run in the folder."""
    prepare_environment()
    budget = parse_macs(macs) if macs else 0
    if penalty is not None and not 0 <= penalty <= 100:
        raise ParameterError(f"penalty = {penalty}: must be between 0 and 100")
    working = who_works_here()
    if working:
        say(f"{working}: what `nasgem select` chooses from may change meanwhile")
    with prefect_server() as wait_for_server:
        from flows.selection import select

        wait_for_server()
        return select(penalty, budget, top)


def parse_macs(text: str) -> int:
    """Read a number of multiply-adds such as 10M, 1.5G or 800k; raises `ParameterError` for anything else."""
    macs = read_count(text)
    if macs is None:
        raise ParameterError(f"--macs {text!r}: must be a number of at least 1, such as 10M, 800k or 1.5G")
    return macs
