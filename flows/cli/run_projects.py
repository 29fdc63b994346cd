"""Projects and their data sets from the command line."""

import shlex
from pathlib import Path

from flows.cli.printing import out
from flows.project.data_sets import add_data, update_data
from flows.project.scaffold import make_project
from flows.runtime.environment import prepare_environment
from flows.runtime.lock import folder_lock
from tasks.run.parameters import load_config


def run_init(folder: Path, images: Path | None) -> None:
    """Make a project and print how to go on."""
    for remark in make_project(folder, images):
        out.print_words(remark)
    what = f"with a copy of {images} in images/" if images else "on the bundled images"
    here = folder.resolve() == Path.cwd()
    out.print_words(f"{'This folder' if here else folder} is a project for searches {what}. Go on with:\n")
    if not here:
        out.print(f"  cd {shlex.quote(str(folder))}", soft_wrap=True)
    out.print("  nasgem search")


def run_add(name: str, path: Path, reference: bool) -> None:
    """Put a data set under DVC and print what depends on it now."""
    prepare_environment()
    with folder_lock():
        load_config()
        out.print_words(add_data(name, path, reference=reference))


def run_update() -> None:
    """Bring up to date what DVC compares, and print what has changed."""
    prepare_environment()
    with folder_lock():
        for line in update_data() or ["nothing has changed"]:
            out.print_words(line)
