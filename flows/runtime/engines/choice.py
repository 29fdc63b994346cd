"""Which engine runs the tasks: where work runs changes no result, so it is not a parameter."""

import os
from typing import TYPE_CHECKING

from nasgem_core.errors import ParameterError

if TYPE_CHECKING:  # Prefect is imported when the address of its server is known
    from flows.runtime.engines.engine import Engine

ENGINE, CLUSTER = "NASGEM_ENGINE", "NASGEM_CLUSTER"
"""Environment variables that options of commands set."""
ENGINES = ("processes", "dask")


def open_engine(workers: int) -> "Engine":
    """Return the engine that the environment names, by default processes of this machine.

    Args:
        workers: how many are started here.

    Raises:
        ParameterError: there is no such engine, it is not installed, or the address is not one of a cluster.
    """
    name, address = chosen_engine()
    if name == "processes":
        from flows.runtime.engines.processes import ProcessPool

        return ProcessPool(workers)
    from flows.runtime.engines.dask import DaskEngine

    engine = DaskEngine(workers, address)
    if address:
        engine.connect()
    return engine


def chosen_engine() -> tuple[str, str]:
    """Return the name of the engine and the address of its cluster, "" without one; raises `ParameterError`."""
    address = os.environ.get(CLUSTER, "")
    name = os.environ.get(ENGINE, "") or ("dask" if address else "processes")
    if name not in ENGINES:
        raise ParameterError(f"engine = {name!r}: choose one of {', '.join(ENGINES)}")
    if address and name != "dask":
        raise ParameterError(f"--cluster {address}: engine {name} has none; use --engine dask")
    if address and not address.startswith(("tcp://", "tls://")):
        raise ParameterError(f"--cluster {address!r}: must be like tls://HOST:8786")
    if name == "dask":
        require_dask()
    return name, address


def require_dask() -> None:
    """Raise `ParameterError` if Dask is not installed."""
    from importlib.util import find_spec

    if find_spec("distributed") is None:
        raise ParameterError("engine = 'dask': Dask is not installed; run `pip install 'nasgem[dask]'`")
