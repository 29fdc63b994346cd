"""Many runs of one cached task: what is known is read here, the rest goes to the workers."""

from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from prefect import Task
from prefect.futures import PrefectFuture

from flows.runtime.engines.engine import Engine, FatalTaskError
from nasgem_core.errors import DeviceMemoryError
from tasks.run.progress import say
from tasks.store.caching import is_cached

WAIT = 5.0
"""Seconds between two looks at work under way."""


def run_side_by_side(
    engine: Engine,
    cached: Task[..., Any],
    inputs: Sequence[dict[str, Any]],
    on_result: Callable[[int, Any], None],
    *,
    instead: Callable[[str], Any] | None = None,
    on_wait: Callable[[], None] | None = None,
) -> None:
    """Run a cached task for each of the inputs.

    Starting a worker takes longer than reading a record, so known results come first and without workers. What found
    too little memory on a GPU that several workers share is tried again in the end, by itself.

    Args:
        engine: whose workers run what is not known yet.
        cached: the task.
        inputs: its arguments.
        on_result: called with the index of the inputs and their result, as soon as it is there.
        instead: makes the result of a task that has ended every worker that ran it, or has too little memory even by
            itself, from the reason; without it that is an error. It is not kept, so the task is tried again the next
            time.
        on_wait: called every `WAIT` seconds in which no result comes.

    Raises:
        NasgemError: a worker was ended from outside, the engine cannot go on, or memory does not suffice.
    """
    unknown = []
    for index, values in enumerate(inputs):
        if is_cached(cached, **values):
            on_result(index, cached(**values))
        else:
            unknown.append(index)
    try:
        futures = dict(zip(engine.submit(cached, [inputs[index] for index in unknown]), unknown, strict=True))
        crowded = []
        for future in _completed(list(futures), on_wait):
            try:
                result = future.result()
            except DeviceMemoryError:
                crowded.append(futures[future])
                continue
            except FatalTaskError as error:
                if instead is None:
                    raise
                result = instead(str(error))
            on_result(futures[future], result)
        if crowded:
            say(f"  {len(crowded)} found too little memory on the GPU: each is tried again by itself")
        for index in crowded:
            on_result(index, _by_itself(engine, cached, inputs[index], instead))
    except BaseException as error:
        engine.terminate()  # it would wait for trainings of hours, also at a signal or when the disk is full
        explained = engine.explained(error)
        if explained is None:
            raise
        raise explained from error


def _completed(futures: list[PrefectFuture[Any]], on_wait: Callable[[], None] | None) -> Iterator[PrefectFuture[Any]]:
    """Yield each as soon as it is done; `as_completed` with a timeout could interrupt whoever it yields to."""
    done: SimpleQueue[PrefectFuture[Any]] = SimpleQueue()
    for future in futures:
        future.add_done_callback(done.put)
    for _ in futures:
        while True:
            try:
                yield done.get(timeout=WAIT if on_wait else None)
                break
            except Empty:
                if on_wait:
                    on_wait()


def _by_itself(
    engine: Engine, cached: Task[..., Any], values: dict[str, Any], instead: Callable[[str], Any] | None
) -> Any:
    (future,) = engine.submit(cached, [values])
    try:
        return future.result()
    except (DeviceMemoryError, FatalTaskError) as error:
        if instead is None:
            raise
        return instead(f"by itself on the device too: {error}")
