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
from tasks.run.parameters import load_config, restore_lists
from tasks.run.progress import say
from tasks.run.tentative import tentative_changes

if TYPE_CHECKING:
    from flows.selection import Selection

_DVC_EXPERIMENT = "DVC_EXP_NAME"
"""DVC sets this variable for the stages of `dvc exp run`, which has written params.yaml in a form of its own."""


def run_search(profile: str | None, changes: Mapping[str, Any]) -> None:
    """Change params.yaml as asked, then run the search flow."""
    prepare_environment()
    with folder_lock(), tentative_changes(profile, changes) as accept, prefect_server() as wait_for_server:
        from flows.runtime.session import open_session
        from flows.search import check_stages, search

        with open_session() as session:  # what is wrong with parameters or images is reported before the server answers
            check_stages(session)
            accept()
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
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and changes:
        raise ParameterError("--set cannot be given to processes of torchrun: set it in params.yaml first")
    prepare_environment()
    if _DVC_EXPERIMENT in os.environ:
        restore_lists()
    refused = tentative_changes(None, changes or {}, (ParameterError,))
    with folder_lock(), refused as accept, prefect_server() as wait_for_server:
        from flows.runtime.session import open_session

        flow = stage.flow()
        with open_session() as session:
            stage.check_inputs(session)
            accept()
            wait_for_server()
            session.engine.run(flow)


def _take_part(stage: Stage) -> None:
    prepare_environment()
    if stage.share:
        stage.function(stage.share)(load_config())


def run_import(
    name: str, source: Path | None, label: str | None, truth: str | None, *, edges: bool, duplicates: str | None
) -> None:
    """Import a table of measured cells and print what it holds."""
    prepare_environment()
    from tasks.benchmark.table_import import import_table
    from tasks.benchmark.tables import table_path

    with folder_lock():
        found = import_table(name, source, label, truth, edges=edges, duplicates=duplicates)
    table = found.table
    say(f"{table_path(name)}: {len(table):,} cells, label {table.label}, truth {table.truth}")
    if found.rows > len(table):
        say(
            f"{found.rows:,} rows hold these cells, up to the order of vertices; "
            f"{found.disagreeing:,} cells have the mean of rows that disagree"
        )
    say(f"operations: {', '.join(table.cells.operation_names)}")
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
