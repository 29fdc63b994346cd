"""What every Dask worker does when it starts: it ends with its parent and keeps the terminal quiet."""

import os
from typing import TYPE_CHECKING

from flows.runtime.processes import start_worker
from tasks.run.placement import SLOT

if TYPE_CHECKING:
    from distributed import Worker


def dask_setup(worker: "Worker") -> None:
    """Set a worker up; Dask calls this."""
    start_worker()
    os.environ[SLOT] = str(worker.name).rpartition("-")[2]
