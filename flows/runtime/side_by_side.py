"""Many runs of one cached task: what is known is read here, the rest goes to the workers."""

import multiprocessing
from collections.abc import Callable, Sequence
from typing import Any

from prefect import Task
from prefect.futures import as_completed

from flows.runtime.processes import deaf_to_interrupts
from tasks.store.caching import is_cached


def run_side_by_side(
    cached: Task[..., Any], inputs: Sequence[dict[str, Any]], keep: Callable[[int, Any], None]
) -> None:
    """Run the task for each of the inputs; `keep` is given the place and the result of each as soon as it is there.

    Starting a worker takes longer than reading a record, so known results come first and without workers.
    """
    unknown = []
    for index, values in enumerate(inputs):
        if is_cached(cached, **values):
            keep(index, cached(**values))
        else:
            unknown.append(index)
    try:
        # Ctrl-C reaches every process of a terminal; this one alone is to answer it.
        with deaf_to_interrupts():
            futures = {cached.submit(**inputs[index]): index for index in unknown}
        for future in as_completed(list(futures)):
            keep(futures[future], future.result())
    except KeyboardInterrupt:
        # The task runner would wait for the work that is under way, which can take hours.
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise
