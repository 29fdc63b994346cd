"""What is known of an engine before anything of it is imported: our own engines, and those of plug-ins."""

import importlib
import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from nasgem_core.errors import ParameterError
from nasgem_core.registry import Registry


@dataclass(frozen=True)
class EngineKind:
    """An engine. Places are written "module:name", because Prefect is not to be imported for a message.

    Args:
        name: as `--engine` takes it.
        engine: place of its class, an `Engine` that is made from the number of workers to start here and the address of
            a cluster, "" for none.
        address: what addresses of its clusters look like, "" where it has no clusters.
        schemes: beginnings of these addresses, by which the engine is known; () for a host and a port alone.
        module: what has to be installed.
        install: what installs that.
        scheduler: place of the function that serves a scheduler, given host and port; "" where there is none.
        dashboard: package that its scheduler needs to show pages of the cluster (`dashboard=True`), "" if it has none.
        port: of the scheduler, unless a user names another.
        workers: place of the function that serves workers, given the scheduler's address and how many.
        status: place of the function that yields lines about a cluster, given its address.
    """

    name: str
    engine: str
    address: str = ""
    schemes: tuple[str, ...] = ()
    module: str = ""
    install: str = ""
    scheduler: str = ""
    dashboard: str = ""
    port: int = 0
    workers: str = ""
    status: str = ""

    def require_installed(self) -> None:
        """Raise `ParameterError` if what it needs is not installed."""
        if self.module and find_spec(self.module) is None:
            raise ParameterError(f"engine = {self.name!r}: it is not installed; run `{self.install}`")

    def require_dashboard(self) -> None:
        """Raise `ParameterError` if its scheduler cannot show pages of the cluster."""
        if not self.dashboard:
            raise ParameterError(f"dashboard: the scheduler of engine {self.name!r} has none")
        if find_spec(self.dashboard) is None:
            raise ParameterError(f"dashboard: it is not installed; run `pip install {self.dashboard}`")

    def takes(self, address: str) -> bool:
        """Say whether an address can be one of its clusters."""
        if self.schemes:
            return address.startswith(self.schemes)
        return bool(self.address) and re.fullmatch(r"[^/]+:\d+", address) is not None

    def load(self, part: str) -> Any:
        """Return what is at one of the places; raises `ParameterError` where there is none or it is not installed."""
        place = getattr(self, part)
        if not place:
            raise ParameterError(f"engine = {self.name!r}: it has no {part}")
        self.require_installed()
        module, _, name = place.partition(":")
        return getattr(importlib.import_module(module), name)


_HERE = "flows.runtime.engines"

PROCESSES = EngineKind("processes", f"{_HERE}.processes:ProcessPool")
DASK = EngineKind(
    "dask",
    f"{_HERE}.dask:DaskEngine",
    address="tls://HOST:8786",
    schemes=("tls://", "tcp://"),
    module="distributed",
    install="pip install distributed cryptography",
    scheduler=f"{_HERE}.dask_serving:serve_scheduler",
    dashboard="bokeh",
    port=8786,
    workers=f"{_HERE}.dask_serving:serve_workers",
    status=f"{_HERE}.dask_client:cluster_lines",
)
RAY = EngineKind(
    "ray",
    f"{_HERE}.ray:RayEngine",
    address="HOST:6379",
    module="ray",
    install="pip install ray cryptography psutil",
    scheduler=f"{_HERE}.ray_serving:serve_scheduler",
    port=6379,
    workers=f"{_HERE}.ray_serving:serve_workers",
    status=f"{_HERE}.ray_serving:cluster_lines",
)

ENGINES: Registry[EngineKind] = Registry(
    "engine",
    {kind.name: f"{__name__}:{kind.name.upper()}" for kind in (PROCESSES, DASK, RAY)},
    "nasgem.engines",
)
