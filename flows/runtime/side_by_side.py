"""Many runs of one cached task: what is known is read here, the rest goes to the workers."""

from collections.abc import Callable, Sequence
from typing import Any

from prefect import Task
from prefect.futures import as_completed

from flows.runtime.runner import Runner, WorkerError
from tasks.store.caching import is_cached


def run_side_by_side(
    runner: Runner, cached: Task[..., Any], inputs: Sequence[dict[str, Any]], on_result: Callable[[int, Any], None]
) -> None:
    """Run a cached task for each of the inputs.

    Starting a worker takes longer than reading a record, so known results come first and without workers.

    Args:
        runner: whose workers run what is not known yet.
        cached: the task.
        inputs: its arguments.
        on_result: called with the index of the inputs and their result, as soon as it is there.

    Raises:
        WorkerError: a worker was ended from outside.
    """
    unknown = []
    for index, values in enumerate(inputs):
        if is_cached(cached, **values):
            on_result(index, cached(**values))
        else:
            unknown.append(index)
    try:
        futures = dict(zip(runner.submit(cached, [inputs[index] for index in unknown]), unknown, strict=True))
        for future in as_completed(list(futures)):
            on_result(futures[future], future.result())
    except BaseException as error:
        runner.terminate()  # the engine would wait for trainings of hours, also at a signal or when the disk is full
        if not runner.died(error):
            raise
        raise WorkerError(
            "a worker was ended from outside (out of memory?): run again to go on, or use fewer --workers"
        ) from error
