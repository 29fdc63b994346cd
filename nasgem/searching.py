"""Searches from Python: the `nasgem` command in a process of its own, and the cell that it chose."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nasgem.own_packages import environment_with_own_packages
from nasgem_core.cells.cell import Cell
from nasgem_core.errors import NasgemError

_READ = """
import sys
from nasgem_core.errors import NasgemError
from tasks.stages.best_cell import read_best_cell
try:
    print(read_best_cell().to_json())
except NasgemError as error:
    sys.exit(str(error))
"""


def search(
    folder: str | os.PathLike[str] = ".", *, profile: str | None = None, parameters: Mapping[str, Any] | None = None
) -> Cell:
    """Run `nasgem search` in a folder and return the cell that it chose; progress is shown on the terminal.

    Args:
        folder: one that `nasgem init` has made, or a copy of the repository.
        profile: whose values are written to `params.yaml` first.
        parameters: that are set there first, by dotted name, such as {"score.penalty": 0.05}.

    Raises:
        NasgemError: the search could not be done; what it printed says why.
    """
    options = ["--profile", profile] if profile else []
    for name, value in (parameters or {}).items():
        options += ["--set", f"{name}={json.dumps(value)}"]
    done = _python(folder, "-m", "nasgem", "search", *options)
    if done.returncode:
        raise NasgemError(f"the search in {Path(folder).resolve()} ended with code {done.returncode}; see above why")
    return best_cell(folder)


def best_cell(folder: str | os.PathLike[str] = ".") -> Cell:
    """Return the cell that the search in a folder chose.

    Raises:
        NasgemError: there is none, or its file was changed.
    """
    done = _python(folder, "-c", _READ, quietly=True)
    if done.returncode:
        place = Path(folder).resolve()
        if not (place / "params.yaml").is_file():
            raise NasgemError(f"{place} is not a project: name the folder of one; `nasgem init FOLDER` makes one")
        raise NasgemError(f"{place}: {done.stderr.strip()}")
    return Cell.from_json(done.stdout)


def _python(folder: str | os.PathLike[str], *arguments: str, quietly: bool = False) -> subprocess.CompletedProcess[str]:
    if not Path(folder).is_dir():
        raise NasgemError(f"{folder} is not a folder: name one that `nasgem init` has made")
    environment = {**os.environ, **environment_with_own_packages()}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, text=True, check=False, capture_output=quietly)
