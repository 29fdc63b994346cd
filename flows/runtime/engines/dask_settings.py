"""How we use Dask: quietly, one training per worker, files in our folder, no pages that anyone could open."""

import logging
import os
import socket
from typing import Any

from flows.runtime.environment import STATE
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


def show_pages() -> str:
    """Have the next scheduler of this process show its pages, on which nothing can be changed; return their address."""
    import dask

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    dask.config.set(
        {
            "distributed.scheduler.http.routes": ["distributed.http.statics", "distributed.http.scheduler.info"],
            # Pages of other sites could read them through the browser of whoever looks at these.
            "distributed.scheduler.dashboard.bokeh-application.allow_websocket_origin": [
                f"127.0.0.1:{port}",
                f"localhost:{port}",
            ],
        }
    )
    logging.getLogger("tornado.application").setLevel(logging.CRITICAL + 1)  # tracebacks where a browser leaves
    return f"127.0.0.1:{port}"
