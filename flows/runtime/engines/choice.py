"""Which engine runs the tasks: where work runs changes no result, so it is not a parameter."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flows.runtime.engines.kind import DASK, ENGINES, PROCESSES, EngineKind
from nasgem_core.config.documents import read_fields
from nasgem_core.errors import ParameterError
from tasks.run.parameters import load_yaml
from tasks.run.progress import say
from tasks.store.object_store import STORE, require_store

if TYPE_CHECKING:  # Prefect is imported when the address of its server is known
    from flows.runtime.engines.engine import Engine

ENGINE, CLUSTER = "NASGEM_ENGINE", "NASGEM_CLUSTER"
"""Environment variables that options of commands set."""
FILE = Path("cluster.yaml")
"""Says it for every command in its folder, for stages of `dvc repro` too, where the variables do not."""


@dataclass(frozen=True)
class Choice:
    """An engine.

    Args:
        engine: name of one of `ENGINES`, "" for that which fits the cluster.
        cluster: address of its cluster, "" without one.
        store: address of the object store for records and checkpoints, "" for the folder alone.
    """

    engine: str = ""
    cluster: str = ""
    store: str = ""


def open_engine(workers: int) -> "Engine":
    """Return the engine that was chosen, by default processes of this machine.

    Args:
        workers: how many are started here.

    Raises:
        ParameterError: there is no such engine, it is not installed, or an address is not one of a cluster or store.
        NasgemError: the cluster or the store cannot be used.
    """
    from tasks.store.mirror import tell_failures  # with Torch, which a choice does not need

    chosen = use_store()
    require_store()
    tell_failures(lambda sentence: say(f"  {sentence}"))
    engine: Engine = ENGINES.get(chosen.engine).load("engine")(workers, chosen.cluster)
    if chosen.cluster:
        engine.connect()
    return engine


def chosen_engine() -> Choice:
    """Return what the environment says, or else `cluster.yaml`; raises `ParameterError` for what there is not."""
    given = Choice(*(os.environ.get(name, "") for name in (ENGINE, CLUSTER, STORE)))
    if FILE.exists():
        written = _written()
        place = given if given.engine or given.cluster else written
        given = Choice(place.engine, place.cluster, given.store or written.store)
    kind = engine_kind(given.engine, given.cluster)
    if given.cluster and not kind.takes(given.cluster):
        if not kind.address:
            raise ParameterError(f"cluster = {given.cluster}: engine {kind.name} has none; use another engine")
        raise ParameterError(f"cluster = {given.cluster!r}: must be like {kind.address} for engine {kind.name}")
    kind.require_installed()
    return Choice(kind.name, given.cluster, given.store)


def use_store() -> Choice:
    """Set the store that was chosen for this process and those it starts; returns the whole choice."""
    chosen = chosen_engine()
    if chosen.store:
        os.environ[STORE] = chosen.store
    return chosen


def engine_kind(name: str, address: str = "") -> EngineKind:
    """Return an engine by its name, or, without one, by the address of its cluster; processes without either.

    Raises:
        ParameterError: there is no such engine.
    """
    if not name and address:
        kinds = (ENGINES.get(each) for each in ENGINES.names())
        return next((kind for kind in kinds if kind.schemes and kind.takes(address)), DASK)
    return ENGINES.get(name or PROCESSES.name)


def _written() -> Choice:
    try:
        return read_fields(Choice, load_yaml(FILE, "safe"), base=Choice())
    except ParameterError as error:
        words = str(error)
        raise ParameterError(words if words.startswith(str(FILE)) else f"{FILE}: {words}") from None
