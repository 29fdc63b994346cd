"""What the flows of one process share: parameters, images, placement, tracking, and the lock of the folder."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from prefect.flows import Flow

from flows.runtime.code_version import refresh_version_file
from flows.runtime.compiling import announced_compiling
from flows.runtime.engines.choice import open_engine
from flows.runtime.engines.engine import Engine
from flows.runtime.environment import prepare_environment
from flows.runtime.lock import folder_lock
from flows.runtime.stopping import answer_in_flow
from nasgem_core.config.search import SearchConfig
from nasgem_core.search.objective import Objective, ProxyNetworks
from nasgem_core.search.target_networks import TargetNetworks
from nasgem_core.training.image_set import ImageSet
from tasks.mlflow_runs.records import SearchRecords
from tasks.mlflow_runs.run_record import Status
from tasks.mlflow_runs.tracking import start_tracking
from tasks.run.parameters import load_config
from tasks.run.placement import Placement, default_device, default_workers
from tasks.run.progress import figures_text, log, say
from tasks.stages.headlines import write_headlines
from tasks.stages.networks import search_networks
from tasks.stages.objective import open_objective
from tasks.stages.proxy_images import open_images
from tasks.store.caching import plain_flow


@dataclass
class Session:
    """One process's work on one set of parameters."""

    config: SearchConfig
    placement: Placement
    engine: Engine
    checked: set[str] = field(default_factory=set)
    """Stages whose parameters and inputs were found to be right."""

    @cached_property
    def images(self) -> ImageSet:
        """The proxy images; what was left out of their folder is shown when they are opened."""
        images = open_images(self.config.proxy, self.placement.images)
        for remark in images.remarks:
            say(f"  {remark}", once=True)
        return images

    @cached_property
    def networks(self) -> ProxyNetworks | TargetNetworks:
        """The networks that cells become."""
        return search_networks(self.config, self.images)

    @cached_property
    def objective(self) -> Objective:
        """What the score charges; its remark is shown when it is opened."""
        objective = open_objective(self.config, self.networks)
        if objective.remark():
            say(objective.remark())
        return objective

    @cached_property
    def records(self) -> SearchRecords:
        """Where runs are logged."""
        root = Path.cwd()
        tracking, device = start_tracking(root, say), self.placement.device
        return SearchRecords(tracking, root, self.config, self.images.content_hash, device=device)


_current: list[Session] = []


@contextmanager
def open_session(*, only_reads: bool = False) -> Iterator[Session]:
    """Provide the session of this process: a flow inside a flow shares that of the outer one.

    Args:
        only_reads: it holds no lock and logs no run, so another process may write meanwhile.

    Raises:
        NasgemError: parameters are wrong, the folder is in use, or MLflow cannot be reached.
    """
    if _current:
        yield _current[0]
        return
    prepare_environment()
    with nullcontext() if only_reads else folder_lock():
        device = default_device()
        session = Session(load_config(), Placement(device=device), open_engine(default_workers(device)))
        if not only_reads:
            refresh_version_file()
            session.records.search()
        _current.append(session)
        try:
            yield session
            if not only_reads:
                session.records.paused("FINISHED")
        except BaseException as error:
            if not only_reads:
                session.records.paused(status_of(type(error)))
            raise
        finally:
            _current.clear()
            session.engine.close()
            waiting = 0 if only_reads else session.records.close()
            if waiting:
                say(f"{waiting} runs wait in .nasgem/outbox: they are sent to MLflow at the next start that reaches it")


def stage_flow(name: str) -> Callable[[Callable[[Session], None]], Flow[[], None]]:
    """Make a function of a session a Prefect flow without parameters: everything it needs is in the folder."""

    def wrap(function: Callable[[Session], None]) -> Flow[[], None]:
        def run() -> None:
            answer_in_flow()
            with open_session() as session:
                try:
                    with announced_compiling():
                        function(session)
                    write_headlines(name)
                    log(figures_text(session.records.figures.get(name, {})) or "finished")
                except BaseException as error:
                    session.records.stopped(name, status_of(type(error)))
                    raise

        run.__doc__, run.__name__, run.__qualname__ = function.__doc__, function.__name__, function.__name__
        run.__module__ = function.__module__
        return plain_flow(name, run_name=name)(run)

    return wrap


def status_of(error: type[BaseException]) -> Status:
    """Return the status in MLflow of a run that an error has stopped."""
    return "KILLED" if issubclass(error, KeyboardInterrupt) else "FAILED"
