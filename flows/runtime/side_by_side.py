"""Many runs of one cached task: what is known is read here, the rest goes to the workers."""

from collections.abc import Callable, Sequence
from typing import Any

from prefect import Task
from prefect.futures import as_completed

from flows.runtime.engines.engine import Engine, FatalTaskError
from tasks.store.caching import is_cached


def run_side_by_side(
    engine: Engine,
    cached: Task[..., Any],
    inputs: Sequence[dict[str, Any]],
    on_result: Callable[[int, Any], None],
    *,
    instead: Callable[[str], Any] | None = None,
) -> None:
    """Run a cached task for each of the inputs.

    Starting a worker takes longer than reading a record, so known results come first and without workers.

    Args:
        engine: whose workers run what is not known yet.
        cached: the task.
        inputs: its arguments.
        on_result: called with the index of the inputs and their result, as soon as it is there.
        instead: makes the result of a task that has ended every worker that ran it, from the reason; without it that is
            an error. It is not kept, so the task is tried again the next time.

    Raises:
        NasgemError: a worker was ended from outside, or the engine cannot go on.
    """
    unknown = []
    for index, values in enumerate(inputs):
        if is_cached(cached, **values):
            on_result(index, cached(**values))
        else:
            unknown.append(index)
    try:
        futures = dict(zip(engine.submit(cached, [inputs[index] for index in unknown]), unknown, strict=True))
        for future in as_completed(list(futures)):
            try:
                result = future.result()
            except FatalTaskError as error:
                if instead is None:
                    raise
                result = instead(str(error))
            on_result(futures[future], result)
    except BaseException as error:
        engine.terminate()  # it would wait for trainings of hours, also at a signal or when the disk is full
        explained = engine.explained(error)
        if explained is None:
            raise
        raise explained from error
