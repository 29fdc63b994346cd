"""Where our packages are: `tasks` and `flows` are names that a user's own modules may have too."""

import os
from importlib.util import find_spec
from pathlib import Path

_PACKAGES = ("flows", "nasgem_core", "tasks")


def own_root() -> str:
    """Return the folder that our packages were installed into, or that of the clone."""
    return str(Path(__file__).resolve().parents[1])


def are_shadowed() -> bool:
    """Whether this process would import something else by the name of one of our packages; nothing is imported."""
    for name in _PACKAGES:
        spec = find_spec(name)
        if spec is None or os.path.realpath(spec.origin or "") != f"{own_root()}/{name}/__init__.py":
            return True
    return False


def environment_with_own_packages() -> dict[str, str]:
    """Return what the environment of a new Python process has to hold for it to find our packages before others.

    The current folder is left out of its path, which `python -m` and `python -c` would put first.
    """
    before = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != own_root()]
    return {"PYTHONPATH": os.pathsep.join([own_root(), *before]), "PYTHONSAFEPATH": "1"}
