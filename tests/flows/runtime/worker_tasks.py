"""Tasks for workers, which import no more than this module to run them."""

import os

from prefect import task

from tasks.run.placement import SLOT
from tasks.store.caching import cached_task


@task
def slot_of_worker(number: int) -> tuple[int, int, str]:
    return number, os.getpid(), os.environ[SLOT]


@cached_task("dying")
def dying(number: int) -> int:
    os._exit(number)
