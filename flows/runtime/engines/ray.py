"""Workers of a Ray cluster: on this machine, or on all machines where `nasgem worker --engine ray` runs."""

import logging
import shutil
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import Any

from flows.runtime.engines.address import require_scheduler
from flows.runtime.engines.engine import FatalTaskError, WorkerError
from flows.runtime.engines.ray_settings import folder_for_ray, private_temporary_folder, quiet_ray, require_ray_key
from flows.runtime.engines.ray_worker import on_worker
from flows.runtime.engines.remote import Outcome, description
from flows.runtime.engines.remote_engine import ANSWER, COUNTED_EVERY, RemoteEngine, refuse_others
from nasgem_core.errors import NasgemError
from tasks.run.progress import say

_DEATHS = 4
"""Workers that one call may end, as with Dask."""


class RayEngine(RemoteEngine):
    """Runs tasks on the workers of a Ray cluster; its arguments are those of `RemoteEngine`."""

    def __init__(self, workers: int, address: str = "") -> None:
        super().__init__(workers, address)
        self._folder = ""
        self._sent: set[Any] = set()
        self._lock = threading.Lock()

    def connect(self) -> None:
        """Find out now whether the cluster can be used; raises `NasgemError` where it cannot."""
        _ = self._ray

    @cached_property
    def _ray(self) -> Any:
        """The package, connected; raises `NasgemError` if there is no usable cluster."""
        options = self._existing() if self.address else self._new()
        import ray

        handler = signal.getsignal(signal.SIGTERM)
        # It would print a paragraph about each worker that ends, which we say in our words.
        ray._private.worker.print_to_stdstream = lambda *_, **__: None
        try:
            ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **options)
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            raise self._refusal(error) from None
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)  # Ray puts its own in place
        if not self._count(ray):
            say(f"  the cluster has no worker yet: run `nasgem worker {self.address} --engine ray` on each machine")
        refuse_others(ray.get(self._asked(ray, description)))
        return ray

    def _new(self) -> dict[str, Any]:
        quiet_ray(None)
        self._folder = private_temporary_folder()
        return {
            "address": "local",
            "num_cpus": self.workers,
            "num_gpus": 0,
            "include_dashboard": False,
            "_temp_dir": folder_for_ray(self._folder),
        }

    def _existing(self) -> dict[str, Any]:
        quiet_ray(require_ray_key(self.address))
        require_scheduler(self.address)
        return {"address": self.address}

    def _refusal(self, error: Exception) -> NasgemError:
        reason = str(error).strip().partition("\n")[0]
        if not self.address:
            return NasgemError(f"Ray could not be started on this machine: {reason}")
        return NasgemError(
            f"the Ray cluster at {self.address} does not admit this machine ({reason}): run `nasgem worker` here too, "
            "and give all machines the same key and the same version of Ray"
        )

    def ask(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Have a process of every machine call a function; see `Engine`."""
        ray, found = self._ray, []
        for each in self._asked(ray, function, *arguments):
            with suppress(ray.exceptions.RayError):  # it ended meanwhile
                found.append(ray.get(each))
        return found

    @staticmethod
    def _asked(ray: Any, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Return references to the answers of all machines that train."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        ask = ray.remote(on_worker)
        nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
        places = [NodeAffinitySchedulingStrategy(node, soft=False) for node in nodes]
        return [ask.options(scheduling_strategy=place, num_cpus=0).remote(function, *arguments) for place in places]

    def running_workers(self) -> int:
        """Return how many workers there are, or will be; raises `WorkerError` if the cluster is gone."""
        # A cluster of this machine is started by the first task: a flow may find all of its results in the cache.
        if not self.address:
            return self.workers
        self._require_cluster()
        return self._count(self._ray)

    @staticmethod
    def _count(ray: Any) -> int:
        return int(ray.cluster_resources().get("CPU", 0))

    def machines(self) -> list[tuple[str, int, int]]:
        """Return name, number of workers, and how many of them are at work, of each machine that trains."""
        ray = self._ray  # first: Ray reads its settings when it is imported
        from ray._private.state import available_resources_per_node

        free = available_resources_per_node()
        found = []
        for node in ray.nodes():
            workers = int(node["Resources"].get("CPU", 0))
            if node["Alive"] and workers:
                busy = workers - int(free.get(node["NodeID"], {}).get("CPU", 0))
                found.append((f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})", workers, busy))
        return sorted(found)

    def call(self, name: str, function: Callable[..., Outcome], *arguments: Any) -> Outcome:
        """Have a worker call a function; see `RemoteEngine`."""
        ray = self._ray
        remote = ray.remote(on_worker).options(name=name, num_cpus=1, max_retries=_DEATHS - 1)
        reference = remote.remote(function, *arguments)
        with self._lock:
            self._sent.add(reference)
        try:
            # Ray ends this process when it loses its cluster, so we look first.
            while not ray.wait([reference], timeout=COUNTED_EVERY)[0]:
                self._require_cluster()
            found: Outcome = ray.get(reference)
        except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError) as error:
            raise FatalTaskError("its training ended every worker that ran it (out of memory?)") from error
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except ray.exceptions.TaskCancelledError as error:
            raise WorkerError("its work was ended, because the search ends") from error
        except (ray.exceptions.RayError, OSError) as error:
            raise self.lost() from error
        finally:
            with self._lock:
                self._sent.discard(reference)
        return found

    def _require_cluster(self) -> None:
        if self.address:
            try:
                require_scheduler(self.address)
            except NasgemError:
                raise self.lost() from None

    def terminate(self) -> None:
        """End the work under way: its workers are killed, and Ray starts others."""
        with self._lock:
            sent = list(self._sent)
        for reference in sent:
            with suppress(Exception):  # the cluster may be gone, which is why we are here
                self._ray.cancel(reference, force=True)

    def close(self) -> None:
        """Leave the cluster; end it if it was started here."""
        ray = self.__dict__.pop("_ray", None)
        if ray is not None:
            # It waits without limit for a cluster that is gone.
            leaving = threading.Thread(target=ray.shutdown, daemon=True)
            leaving.start()
            leaving.join(ANSWER)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""
