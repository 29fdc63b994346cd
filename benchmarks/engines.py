"""What processes of this machine, a Dask and a Ray cluster cost for each training, with trainings that only wait.

Run it with `python benchmarks/engines.py`. Per engine and length of the waits: seconds until the first and the last
result, what a training costs beyond its wait on as many workers, processor time and memory of the driver (the process
that searches; its Prefect server apart), and how many trainings a second the driver can hand out at most, from its
processor time. From that follows how many workers it keeps busy with trainings of a minute. The first flow of an engine
starts its workers and is not counted. `--threads` makes the workers of Dask threads of one other process, because a
small machine has no room for as many processes as one wants to try. Last, the bytes that a real training of a cell
moves.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
# Workers import `simulated` too.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
os.environ |= {"NASGEM_DEVICE": "cpu", "PREFECT_LOGGING_LEVEL": "ERROR", "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL"}

_MINUTE = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", nargs="+", default=["processes", "dask", "ray"])
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--trainings", type=int, default=200)
    parser.add_argument("--seconds", type=float, nargs="+", default=[0.0, 0.5])
    parser.add_argument("--threads", action="store_true", help="workers of Dask are threads of one other process")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path(".nasgem").mkdir(mode=0o700)
        Path("params.yaml").touch()
        from flows.runtime.environment import prepare_environment

        prepare_environment()
        from flows.runtime.engines.choice import engine_kind
        from flows.runtime.server import prefect_server

        with prefect_server():
            for root, name in enumerate(arguments.engines):
                with _cluster(arguments.workers if name == "dask" and arguments.threads else 0) as address:
                    engine = engine_kind(name).load("engine")(arguments.workers, address)
                    _measure(name, engine, arguments.trainings, arguments.seconds, 1000 * root)
        os.chdir("/")
    _say_bytes()


@contextmanager
def _cluster(threads: int) -> Iterator[str]:
    """Run a Dask cluster of that many threads in another process and yield its address, "" if there are to be none."""
    if not threads:
        yield ""
        return
    command = [sys.executable, str(Path(__file__).with_name("worker_threads.py")), str(threads)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def _say_bytes() -> None:
    """Print how much is sent to a worker for a training of the default search, and how much comes back."""
    from distributed.protocol import dumps, to_serialize

    from flows.runtime.engines.remote import run_here
    from nasgem_core.bundled_files import IMAGES
    from nasgem_core.cells.known_blocks import MOBILENET_V2_6
    from nasgem_core.config.search import ProxyConfig
    from tasks.run.placement import Placement
    from tasks.stages.proxy import train_proxy
    from tasks.stages.proxy_images import open_images

    placement, config = Placement(images=str(IMAGES)), ProxyConfig()
    values = {
        "cell": MOBILENET_V2_6.cell,
        "images_hash": open_images(config, placement.images).content_hash,
        "config": config,
        "seed": 0,
        "placement": placement,
    }
    asked = (train_proxy.fn.__module__, train_proxy.fn.__name__, train_proxy.cache_policy.source, values)
    word, content = run_here(*asked)
    assert word == "result", content
    sent = sum(len(frame) for frame in dumps(to_serialize((run_here, asked))))
    print(f"a training: {sent:,} bytes sent by Dask, {len(content):,} bytes back")


def _measure(name: str, engine: Any, trainings: int, lengths: list[float], root: int) -> None:
    """Print what an engine costs; `root` tells its records from those of the others, which it would read."""
    workers = engine.workers
    try:
        _run(engine, workers, 0.0, root)
        for place, seconds in enumerate(lengths, root + 1):
            busy, start = _processor(), time.perf_counter()
            first = _run(engine, trainings, seconds, place)
            wall, cpu = time.perf_counter() - start, _processor() - busy
            cost = (wall - trainings * seconds / workers) / trainings
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            print(
                f"{name:<9} {workers} workers, {trainings} of {seconds:g} s: first {first:.1f} s, all {wall:.1f} s, "
                f"beyond the waits {1e3 * cost:.0f} ms each; driver {1e3 * cpu / trainings:.0f} ms of processor time "
                f"each, {memory:.2f} GiB; at most {trainings / cpu:.0f} a second, so {trainings / cpu * _MINUTE:.0f} "
                "workers with trainings of a minute",
                flush=True,
            )
    finally:
        engine.close()


def _run(engine: Any, count: int, seconds: float, root: int) -> float:
    """Run simulated trainings; return the seconds until the first result."""
    from prefect import flow
    from simulated import simulated

    from flows.runtime.side_by_side import run_side_by_side

    begun, first = time.perf_counter(), []

    @flow(persist_result=False)
    def working() -> None:
        inputs = [{"number": number, "seconds": seconds, "root": root} for number in range(count)]
        run_side_by_side(engine, simulated, inputs, lambda *_: first.append(time.perf_counter() - begun))

    engine.run(working)
    return first[0]


def _processor() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


if __name__ == "__main__":
    main()
