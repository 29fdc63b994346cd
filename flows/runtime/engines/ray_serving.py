"""The processes of a Ray cluster that users start: a scheduler on one machine, workers on each."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from flows.runtime.engines import ray_start
from flows.runtime.engines.address import require_scheduler
from flows.runtime.engines.ray_settings import (
    KEY_FILE,
    folder_for_ray,
    make_ray_key,
    private_temporary_folder,
    quiet_ray,
    require_ray_key,
)
from flows.runtime.environment import STATE
from nasgem_core.errors import NasgemError
from nasgem_core.printable import printable
from tasks.run.progress import say

_STARTED = b"Ray runtime started"
"""What it prints then."""
_ENDS = 15.0
"""Seconds in which Ray's processes end."""


def serve_scheduler(host: str, port: int) -> None:
    """Run the head of a cluster, which schedules and trains nothing, until it is stopped.

    Args:
        host: address of this machine that the others reach.
        port: where it listens.

    Raises:
        NasgemError: it cannot listen there.
    """
    make_ray_key()
    address = f"{host}:{port}"
    quiet_ray(require_ray_key(address), host)
    folder = private_temporary_folder()
    lines = (
        f"the scheduler listens at {address}; Ctrl-C ends it",
        f"  on each machine: copy {KEY_FILE} into its folder, for you alone, then",
        f"  `nasgem worker {address} --engine ray`",
        f"  to search on a machine with a worker: `nasgem search --engine ray --cluster {address}`",
    )
    options = ("--num-cpus=0", "--num-gpus=0", "--include-dashboard=false", f"--temp-dir={folder_for_ray(folder)}")
    try:
        _serve(("--head", f"--node-ip-address={host}", f"--port={port}", *options), lines)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def serve_workers(address: str, count: int) -> None:
    """Run workers of a cluster until they are stopped, or its scheduler ends.

    Args:
        address: of the scheduler.
        count: how many trainings run at the same time.

    Raises:
        NasgemError: the scheduler does not answer, or refuses the key.
    """
    quiet_ray(require_ray_key(address))
    require_scheduler(address)
    options = (f"--address={address}", f"--num-cpus={count}", "--num-gpus=0")
    _serve(options, [f"{count} workers of {address}; Ctrl-C ends them"])


def cluster_lines(address: str) -> Iterator[str]:
    """Yield a line about a cluster and one for each of its machines; raises `NasgemError` if it does not answer."""
    from flows.runtime.engines.ray import RayEngine

    engine = RayEngine(0, address)
    try:
        machines = engine.machines()
    finally:
        engine.close()
    yield f"{sum(workers for _, workers, _ in machines)} workers, {sum(busy for *_, busy in machines)} of them at work"
    for name, workers, busy in machines:
        yield f"  {name:<32} {workers} workers, {busy} of them at work"


def _serve(options: Sequence[str], lines: Sequence[str]) -> None:
    """Run `ray start` until it ends or this process is to end; whatever it prints goes into a log.

    Args:
        options: of the command.
        lines: said when it has started.
    """
    log = STATE / "ray.log"
    command = [sys.executable, "-m", ray_start.__name__, "start", "--block", *options]
    os.umask(0o077)  # Ray's sockets and logs are in a folder that it makes
    with log.open("wb") as output:
        ray = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, process_group=0)
        try:
            while _STARTED not in log.read_bytes() and ray.poll() is None:
                time.sleep(0.2)
            for line in lines if ray.poll() is None else ():
                say(line)
            code = ray.wait()
        finally:
            ray.terminate()
            with suppress(subprocess.TimeoutExpired):
                ray.wait(_ENDS)
            with suppress(ProcessLookupError):
                os.killpg(ray.pid, signal.SIGKILL)
    if code:
        raise NasgemError(f"Ray has ended, and {log} says why; its last line is: {_last_line(log)}")
    say("the cluster has ended")


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return printable(lines[-1]) if lines else "none"
