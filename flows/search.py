"""The whole search: every stage in order, then its outputs recorded with DVC."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from prefect import flow

from flows.runtime.environment import prepare_environment
from flows.runtime.lock import folder_lock
from flows.runtime.session import open_session, workers
from flows.stages.ablation import ablation
from flows.stages.benchmark import benchmark, planned_trials
from flows.stages.bootstrap import bootstrap
from flows.stages.coco import check_annotations, coco
from flows.stages.encoder import encoder
from flows.stages.estimator import estimator
from flows.stages.gemnet import gemnet
from flows.stages.imagenet import check_images, imagenet
from flows.stages.labels import labels
from flows.stages.nasgem_bench import nasgem_bench
from flows.stages.pairs import pairs
from flows.stages.report import report
from nasgem_core.errors import NasgemError
from tasks.run.parameters import PARAMS, change_parameters
from tasks.run.progress import say
from tasks.store.fingerprint import fingerprint

STAGES = {
    stage.name: stage
    for stage in (pairs, labels, encoder, estimator, bootstrap, gemnet, imagenet, coco, ablation, benchmark, report)
}
"""The stages of a search by name, in the order they depend on each other."""
STAGES_ALONE = {stage.name: stage for stage in (nasgem_bench,)}
"""Stages that run by their own name only: they take hours, and no search needs them."""


@flow(name="search")
def search(overrides: dict[str, Any] | None = None) -> None:
    """Run every stage; what was done before with equal inputs and equal code is read, not done again.

    Args:
        overrides: parameters to set in params.yaml first, by dotted name, such as {"score.penalty": 0.05}.
    """
    prepare_environment()
    with folder_lock():
        if overrides:
            change_parameters(overrides)
        with open_session() as session:
            # A table, predictor or image folder that is missing is named now, and not when everything else is done.
            planned_trials(session)
            check_images(session)
            check_annotations(session)
            begun = _inputs()
            for name, stage in STAGES.items():
                say(f"stage {name}")
                stage.with_options(task_runner=workers(session.workers))()
            if _inputs() != begun:
                raise NasgemError(
                    "params.yaml or the code was changed while the search was running, so its outputs are not recorded "
                    "with DVC: run again, and only what has changed is done anew"
                )
            record_outputs()


def _inputs() -> str:
    """Return a fingerprint of parameters and code, whose values at this moment DVC would record beside the outputs."""
    root = Path(__file__).parent.parent
    code = [path for folder in ("flows", "tasks", "nasgem_core") for path in sorted((root / folder).rglob("*.py"))]
    return fingerprint([path.read_text(encoding="utf-8") for path in [PARAMS, *code]])


def record_outputs() -> None:
    """Record the stages' outputs in dvc.lock, as `dvc repro` would have, so that the data of every run is versioned."""
    command = [sys.executable, "-m", "dvc", "commit", "--force", "--quiet", *STAGES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NasgemError(
            f"DVC could not record the outputs: {done.stderr.strip() or done.stdout.strip()}. "
            "The results are complete in data/; mend what DVC names and run again, nothing is trained anew"
        )
