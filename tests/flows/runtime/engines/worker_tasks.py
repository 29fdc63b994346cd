"""Tasks for workers, which import no more than this module to run them."""

import os
import signal
import sys
import time
from pathlib import Path

from prefect import task

from nasgem_core.config.search import ProxyConfig
from nasgem_core.errors import DataError, DeviceMemoryError
from tasks.run.placement import SLOT, Placement
from tasks.stages.proxy_images import open_unchanged_images
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


@cached_task("crowding")
def crowding(number: int) -> int:
    raise DeviceMemoryError(f"cuda:{number} has too little memory")


@cached_task("doing")
def doing(number: int, what: str, marks: str, placement: Placement) -> dict[str, object]:
    """Do something that a test asks for, and leave a mark with the number of this process."""
    with (Path(marks) / str(number)).open("a") as file:
        file.write(f"{os.getpid()}\n")
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "refuse second":
        while not (Path(marks) / "0").exists():  # what is to end with it has begun
            time.sleep(0.05)
    if what.startswith("refuse"):
        raise DataError("the images are others")
    if what == "crowd":
        raise DeviceMemoryError("cuda:0 has too little memory")
    if what in ("sleep", "doze"):
        time.sleep(600 if what == "sleep" else 5)
    return {"number": number, "device": placement.device, "process": os.getpid(), "slot": os.environ[SLOT]}


def multiplied(first: int, second: int) -> tuple[int, int]:
    """Return a product, and the number of this process."""
    return first * second, os.getpid()


@cached_task("counting")
def counting(number: int, config: ProxyConfig, images_hash: str, placement: Placement) -> dict[str, int]:
    """Count the images of a search that this machine may not have."""
    return {"number": number, "images": len(open_unchanged_images(config, images_hash, placement).train_images)}
