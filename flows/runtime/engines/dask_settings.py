"""How we use Dask: quietly, one training per worker, files in our folder, no pages that anyone could open."""

import os
from typing import Any

from flows.runtime.environment import STATE
from flows.runtime.forked_workers import prepare_fork_server
from flows.runtime.private_folder import make_private

WORKER: dict[str, Any] = {
    "memory_limit": 0,  # trainings free their memory themselves, and Dask would stop workers that use much
    "local_directory": str(STATE / "dask"),
    "preload": "flows.runtime.engines.dask_worker",
}


def quiet_dask() -> None:
    """Set Dask up in this process and those that it starts, before it is imported."""
    make_private(STATE / "dask")
    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "critical")
    import dask

    dask.config.set(
        {
            "distributed.worker.multiprocessing-method": "forkserver",
            "distributed.admin.log-format": "%(message)s",
            "distributed.scheduler.http.routes": [],
            "distributed.worker.http.routes": [],
            "distributed.worker.daemon": False,
            "distributed.comm.timeouts.connect": "15s",
        }
    )
    prepare_fork_server()
