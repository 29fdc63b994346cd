"""Tasks for workers, which import no more than this module to run them."""

import os
import sys
import time

from prefect import task

from tasks.run.placement import SLOT
from tasks.store.caching import cached_task


@task
def worker(number: int) -> dict[str, object]:
    imported = "torch._dynamo" in sys.modules
    return {"number": number, "process": os.getpid(), "from": os.getppid(), "slot": os.environ[SLOT], "torch": imported}


@cached_task("dying")
def dying(number: int) -> int:
    os._exit(number)


@cached_task("starving")
def starving(number: int) -> int:
    if number:
        time.sleep(600)  # as a training that has hours to go
    return len(bytearray(2**46))
