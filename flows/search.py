"""The whole search: every stage in order, then its outputs recorded with DVC."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.runtime.code_version import code_files
from flows.runtime.dvc_command import run_dvc
from flows.runtime.environment import prepare_environment
from flows.runtime.lock import folder_lock
from flows.runtime.session import Session, open_session
from flows.runtime.stopping import answer_in_flow
from flows.stages.catalogue import SEARCHED
from flows.stages.dvc_images import pipeline_text, unwatched_images, watched_images
from flows.stages.result_artifacts import create_artifacts
from nasgem_core.errors import NasgemError
from tasks.run.overrides import set_for_this_run, take_back
from tasks.run.parameters import PARAMS, load_config
from tasks.run.progress import figures_text, log, say
from tasks.run.titles import dated, search_title
from tasks.stages.headlines import read_headlines
from tasks.store.caching import plain_flow
from tasks.store.fingerprint import fingerprint
from tasks.store.references import refresh_references

_FLOWS = {name: stage.flow() for name, stage in SEARCHED.items()}
"""Imported here: meanwhile the server starts, and whoever edits the code later does not change the search that runs."""


def _run_name() -> str:
    """Return the name of a run on Prefect's pages: its images, its profile and the time."""
    try:
        return dated(search_title(load_config()))
    except NasgemError:  # the flow reports it
        return dated("search")


@plain_flow("search", run_name=_run_name)
def search(overrides: dict[str, Any] | None = None) -> None:
    """Run every stage; what was done before with equal inputs and equal code is read, not done again.

    Args:
        overrides: parameters for this run only, by dotted name, such as {"score.penalty": 0.05}.
    """
    answer_in_flow()
    prepare_environment()
    with _said_when_served(), folder_lock():
        remark = take_back()
        if remark:
            say(remark)
        if overrides:
            set_for_this_run(overrides)
            log(f"set for this run: {overrides}")
        unrecorded = missing_for_dvc(Path.cwd())
        if unrecorded:
            say(f"{unrecorded}, so DVC does not record the outputs; everything else works")
        else:
            for data_set in refresh_references():
                say(f"the files of data set {data_set} have changed")
        for data_set, images in unwatched_images(load_config()).items():
            say(f"DVC does not notice changes of {images}: `nasgem data add {data_set} {images}` has it do so")
        with open_session() as session:
            check_stages(session)
            begun = _inputs()
            for name, stage_flow in _FLOWS.items():
                say(f"stage {name}")
                session.engine.run(stage_flow)
                figures = {**read_headlines(name), **session.records.figures.get(name, {})}
                log(f"{name} has finished  {figures_text(figures) or 'without figures: its own page says why'}")
            create_artifacts(session.config)
            if _inputs() != begun:
                raise NasgemError(
                    "params.yaml or the code was changed while the search was running, so its outputs are not recorded "
                    "with DVC: run again, only what has changed is done again"
                )
            if not unrecorded:
                record_outputs()


@contextmanager
def _said_when_served() -> Iterator[None]:
    """Say on the terminal of `nasgem serve` when a run begins, ends or fails, and nothing elsewhere."""
    run = _served_run()
    if not run:
        yield
        return
    say(f"run {run}")
    try:
        yield
    except Exception as error:
        reason = str(error) if isinstance(error, NasgemError) else "its page on Prefect says why"
        say(f"run {run} has failed: {reason}")
        raise
    say(f"run {run} has finished")


def _served_run() -> str:
    """Return the name of the run if `nasgem serve` has it run, and nothing elsewhere."""
    from prefect.runtime import deployment, flow_run

    return str(flow_run.name) if deployment.id else ""


def check_stages(session: Session) -> None:
    """Report a missing table, predictor or image folder now, and not when everything else is done."""
    for stage in SEARCHED.values():
        stage.check_inputs(session)


def missing_for_dvc(folder: Path) -> str | None:
    """Return what a folder lacks of what DVC needs there or above, nothing where it is complete."""
    above = [folder, *folder.parents]
    project = next((place for place in above if (place / ".dvc").is_dir()), None)
    if project is None:
        return "this folder has no .dvc (`dvc init` makes one)"
    settings = [project / ".dvc" / name for name in ("config", "config.local")]
    written = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in settings if path.is_file())
    if re.search(r"^\s*no_scm\s*=\s*true", written, re.M | re.I) or any((place / ".git").exists() for place in above):
        return None
    return "this folder has no .git (`git init` makes one)"


def _inputs() -> str:
    """Return a fingerprint of parameters and code, which DVC would record with the outputs."""
    return fingerprint([path.read_text(encoding="utf-8") for path in [PARAMS, *code_files()]])


def record_outputs() -> None:
    """Record the stages' outputs in dvc.lock, as `dvc repro` would have, so that the data of every run is versioned.

    Images under DVC are recorded too, so that `dvc.lock` and the files next to them are of the same images.
    """
    watched = watched_images(pipeline_text())
    images = dict.fromkeys(f"{path}.dvc" for path in watched.values())
    run_dvc(
        *("commit", "--force", *SEARCHED, *(path for path in images if Path(path).is_file())),
        failed="DVC could not record the outputs",
        remedy="The results in data/ are complete; fix what DVC reports and run again, nothing is trained again",
    )
