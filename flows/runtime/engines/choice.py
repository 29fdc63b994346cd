"""Which engine runs the tasks: where work runs changes no result, so it is not a parameter."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nasgem_core.config.documents import read_fields
from nasgem_core.errors import ParameterError
from tasks.run.parameters import load_yaml

if TYPE_CHECKING:  # Prefect is imported when the address of its server is known
    from flows.runtime.engines.engine import Engine

ENGINE, CLUSTER = "NASGEM_ENGINE", "NASGEM_CLUSTER"
"""Environment variables that options of commands set."""
ENGINES = PROCESSES, DASK = "processes", "dask"
FILE = Path("cluster.yaml")
"""Says it for every command in its folder, for stages of `dvc repro` too, where neither variable is set."""


@dataclass(frozen=True)
class Choice:
    """An engine.

    Args:
        engine: one of `ENGINES`, "" for that which fits the cluster.
        cluster: address of its cluster, "" without one.
    """

    engine: str = ""
    cluster: str = ""


def open_engine(workers: int) -> "Engine":
    """Return the engine that was chosen, by default processes of this machine.

    Args:
        workers: how many are started here.

    Raises:
        ParameterError: there is no such engine, it is not installed, or the address is not one of a cluster.
        NasgemError: the cluster cannot be used.
    """
    chosen = chosen_engine()
    if chosen.engine == PROCESSES:
        from flows.runtime.engines.processes import ProcessPool

        return ProcessPool(workers)
    from flows.runtime.engines.dask import DaskEngine

    engine = DaskEngine(workers, chosen.cluster)
    if chosen.cluster:
        engine.connect()
    return engine


def chosen_engine() -> Choice:
    """Return what the environment says, or else `cluster.yaml`; raises `ParameterError` for what there is not."""
    given = Choice(os.environ.get(ENGINE, ""), os.environ.get(CLUSTER, ""))
    if given == Choice() and FILE.exists():
        given = _written()
    address = given.cluster
    name = given.engine or (DASK if address else PROCESSES)
    if name not in ENGINES:
        raise ParameterError(f"engine = {name!r}: choose one of {', '.join(ENGINES)}")
    if address and name != DASK:
        raise ParameterError(f"cluster = {address}: engine {name} has none; use engine {DASK}")
    if address and not address.startswith(("tcp://", "tls://")):
        raise ParameterError(f"cluster = {address!r}: must be like tls://HOST:8786")
    if name == DASK:
        require_dask()
    return Choice(name, address)


def _written() -> Choice:
    try:
        return read_fields(Choice, load_yaml(FILE, "safe"), base=Choice())
    except ParameterError as error:
        words = str(error)
        raise ParameterError(words if words.startswith(str(FILE)) else f"{FILE}: {words}") from None


def require_dask() -> None:
    """Raise `ParameterError` if Dask is not installed."""
    from importlib.util import find_spec

    if find_spec("distributed") is None:
        raise ParameterError("engine = 'dask': Dask is not installed; run `pip install distributed cryptography`")
