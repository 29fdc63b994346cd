"""Where our packages are: `tasks` and `flows` are names that a user's own modules may have too."""

import os
from pathlib import Path


def own_root() -> str:
    """Return the folder that our packages were installed into, or that of the clone."""
    return str(Path(__file__).resolve().parents[1])


def environment_with_own_packages() -> dict[str, str]:
    """Return what the environment of a new Python process has to hold for it to find our packages before others.

    The current folder is left out of its path, which `python -m` and `python -c` would put first.
    """
    before = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != own_root()]
    return {"PYTHONPATH": os.pathsep.join([own_root(), *before]), "PYTHONSAFEPATH": "1"}
