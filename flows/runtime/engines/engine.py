"""What a flow needs of whoever runs its tasks side by side."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from prefect import Flow, Task
from prefect.futures import PrefectFuture

from nasgem_core.errors import NasgemError


class WorkerError(NasgemError):
    """A worker was ended from outside, or cannot be used."""


class FatalTaskError(NasgemError):
    """A task has ended every worker that ran it; other tasks go on."""


class Engine(Protocol):
    """Runs flows, and hands their tasks to workers.

    Attributes:
        workers: how many it starts on this machine, if no cluster is named.
        sees_folder: whether its workers work in this folder, so that both see the same checkpoints.
    """

    workers: int
    sees_folder: bool

    def connect(self) -> None:
        """Find out now whether the cluster can be used; raises `NasgemError` where it cannot."""

    def run(self, flow: Flow[[], None]) -> None:
        """Run a flow; inside of it, tasks can be submitted."""

    def submit(self, task: Task[..., Any], inputs: Sequence[Mapping[str, Any]]) -> list[PrefectFuture[Any]]:
        """Start a task on the workers for each of the inputs; return the futures in their order."""

    def ask(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Have every machine with workers call a function next to their work; return what those said that answer.

        Args:
            function: of a module that workers have too, and quick.
            arguments: of the function.
        """

    def terminate(self) -> None:
        """End the work that is under way, which may take hours, at once."""

    def explained(self, error: BaseException) -> NasgemError | None:
        """Return what to tell a user if an error comes from the engine, and None if it comes from the task."""

    def close(self) -> None:
        """Give back what the engine holds for all flows of a session."""
