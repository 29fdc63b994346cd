"""The whole search: every stage in order, then its outputs recorded with DVC."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from flows.runtime.environment import prepare_environment
from flows.runtime.lock import folder_lock
from flows.runtime.session import open_session
from flows.runtime.stopping import answer_in_flow
from flows.stages.catalogue import SEARCHED
from nasgem_core.errors import NasgemError
from tasks.run.masking import without_secrets
from tasks.run.overrides import check_overrides
from tasks.run.parameters import PARAMS, change_parameters, load_config
from tasks.run.progress import say
from tasks.store.caching import plain_flow
from tasks.store.fingerprint import fingerprint

_FLOWS = {name: stage.flow() for name, stage in SEARCHED.items()}
"""Imported here: meanwhile the server starts, and whoever edits the code later does not change the search that runs."""


@plain_flow("search")
def search(overrides: dict[str, Any] | None = None) -> None:
    """Run every stage; what was done before with equal inputs and equal code is read, not done again.

    Args:
        overrides: parameters to set in params.yaml first, by dotted name, such as {"score.penalty": 0.05}.
    """
    answer_in_flow()
    prepare_environment()
    with folder_lock():
        if overrides:
            check_overrides(overrides, load_config())
            change_parameters(overrides)
        unrecorded = missing_for_dvc(Path.cwd())
        if unrecorded:
            say(f"{unrecorded}, so DVC does not record the outputs; everything else works")
        with open_session() as session:
            # A missing table, predictor or image folder is reported now, and not when everything else is done.
            for stage in SEARCHED.values():
                if stage.check:
                    stage.function(stage.check)(session)
            begun = _inputs()
            for name, stage_flow in _FLOWS.items():
                say(f"stage {name}")
                session.runner.run(stage_flow)
            if _inputs() != begun:
                raise NasgemError(
                    "params.yaml or the code was changed while the search was running, so its outputs are not recorded "
                    "with DVC: run again, only what has changed is done again"
                )
            if not unrecorded:
                record_outputs()


def missing_for_dvc(folder: Path) -> str | None:
    """Return what a folder lacks of what DVC needs there or above, nothing where it is complete."""
    above = [folder, *folder.parents]
    project = next((place for place in above if (place / ".dvc").is_dir()), None)
    if project is None:
        return "this copy has no folder .dvc (copy it from the repository)"
    settings = [project / ".dvc" / name for name in ("config", "config.local")]
    written = "\n".join(path.read_text(encoding="utf-8") for path in settings if path.is_file())
    if re.search(r"^\s*no_scm\s*=\s*true", written, re.M | re.I) or any((place / ".git").exists() for place in above):
        return None
    return "this copy has no .git (`git init` makes one)"


def _inputs() -> str:
    """Return a fingerprint of parameters and code, which DVC would record with the outputs."""
    root = Path(__file__).parent.parent
    code = [path for folder in ("flows", "tasks", "nasgem_core") for path in sorted((root / folder).rglob("*.py"))]
    return fingerprint([path.read_text(encoding="utf-8") for path in [PARAMS, *code]])


def record_outputs() -> None:
    """Record the stages' outputs in dvc.lock, as `dvc repro` would have, so that the data of every run is versioned."""
    command = [sys.executable, "-m", "dvc", "commit", "--force", *SEARCHED]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        reason = next(
            (line for line in lines if line.startswith("ERROR:")), lines[-1] if lines else "it does not say why"
        )
        raise NasgemError(
            f"DVC could not record the outputs: {without_secrets(reason)}. "
            "The results in data/ are complete; fix what DVC reports and run again, nothing is trained again"
        )
