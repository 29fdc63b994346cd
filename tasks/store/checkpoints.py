"""Folders of checkpoints: one per training, named by everything that its weights depend on, our code included.

A training goes on from its folder, and a finished one is read from there without a step. So the folder is to a
training of days what a record of Prefect's cache is to a short task: other code, or another parameter, is another
folder, and `PREFECT_TASKS_REFRESH_CACHE` starts again.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nasgem_core.training.distributed import World
from tasks.store.fingerprint import fingerprint, source_fingerprint
from tasks.store.mirror import fetch_checkpoints


def checkpoint_folder(
    path: Path, identity: Any, module: str, world: World, on_warning: Callable[[str], None] | None = None
) -> Path:
    """Return the folder of a training; all processes of a world call it alike.

    Args:
        path: the folder of a stage's trainings, and the name of this one, for people.
        identity: plain values that the weights depend on.
        module: whose code, with all it imports, the weights depend on.
        world: this process among those that train.
        on_warning: called where other code has trained the same: that folder stays, and this one starts again.
    """
    folder = checkpoint_path(path, identity, module)
    if world.rank == 0:
        if folder.exists() and is_refreshing():
            shutil.rmtree(folder)
        if not is_refreshing():
            fetch_checkpoints(folder)
        stem = folder.name.rpartition("-")[0]
        others = [other for other in sorted(path.parent.glob(f"{stem}-*")) if other != folder]
        if others and not folder.exists() and on_warning is not None:
            on_warning(f"the code has changed since {others[-1]} was written: training again; that folder stays")
    world.wait()
    return folder


def checkpoint_path(path: Path, identity: Any, module: str) -> Path:
    """Return the folder of a training without touching it; see `checkpoint_folder`."""
    return path.with_name(f"{path.name}-{fingerprint(identity)[:16]}-{source_fingerprint(module)[:8]}")


def is_refreshing() -> bool:
    """Say whether trainings start again, whatever there is of them."""
    from prefect.settings import get_current_settings

    return bool(get_current_settings().tasks.refresh_cache)
