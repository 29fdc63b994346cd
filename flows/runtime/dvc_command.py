"""DVC's own command, for what has no better way in, and its reason where it fails."""

import os
import subprocess
import sys
from pathlib import Path

from flows.runtime.environment import STATE
from nasgem_core.errors import NasgemError
from tasks.run.masking import without_secrets

_NO_REASON = "Having any troubles?"
"""Begins the last line of what DVC prints whatever went wrong."""


def run_dvc(*words: str, failed: str, remedy: str, folder: Path = Path()) -> None:
    """Run a command of DVC.

    Args:
        words: the command, such as ("add", "images"), without `--quiet`, which hides errors too.
        failed: what could not be done, for the message.
        remedy: what to do then.
        folder: where to run it: a project of DVC with a state folder.

    Raises:
        NasgemError: it failed; the message has DVC's own reason.
    """
    own = {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str((folder / STATE / "dvc").absolute())}
    command = [sys.executable, "-m", "dvc", *words]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **own}, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        lines = [line for line in lines if not line.startswith(_NO_REASON)]
        reason = next(
            (line for line in lines if line.startswith("ERROR:")), lines[-1] if lines else "it does not say why"
        )
        raise NasgemError(f"{failed}: {without_secrets(reason)}. {remedy}")
