"""The commands of `nasgem` for workers and clusters; `flows.cli.search_commands` adds them."""

import os
from typing import Annotated

import typer

from flows.cli.guard import guarded

clusters = typer.Typer()

Engine = Annotated[
    str | None, typer.Option(help="Who trains: processes, or dask (a cluster, here or --cluster). [default: processes]")
]
Cluster = Annotated[
    str | None, typer.Option(help="Address of the scheduler of a Dask cluster, such as tls://10.0.0.1:8786.")
]


@clusters.command()
def scheduler(
    host: Annotated[str, typer.Option(help="Address of this machine that the others reach.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the scheduler.", min=1, max=65535)] = 8786,
) -> None:
    """Run the scheduler of a Dask cluster, and make the key that its machines share."""
    with guarded("Searches that used this scheduler can go on with another"):
        _prepare()
        from flows.runtime.engines.dask_serving import serve_scheduler

        serve_scheduler(host, port)


@clusters.command()
def worker(
    address: Annotated[str, typer.Argument(help="Of the scheduler, such as tls://10.0.0.1:8786.")],
    workers: Annotated[
        int | None, typer.Option(help="Trainings at the same time; default: one per core or GPU, or see `nasgem gpu`.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, cuda:0 ...; default: a GPU where there is one.")
    ] = None,
) -> None:
    """Train on this machine for the searches of a Dask cluster."""
    with guarded("Trainings that ran here are done again by other workers"):
        place(workers, device)
        _prepare()
        from flows.runtime.engines.dask_serving import serve_workers
        from tasks.run.placement import default_device, default_workers

        serve_workers(address, default_workers(default_device()))


@clusters.command()
def gpu(
    device: Annotated[str | None, typer.Option(help="cuda:0, cuda:1 ...; default: the first GPU.")] = None,
) -> None:
    """Measure how many trainings at a time a GPU is fastest with; commands in this folder then start so many."""
    with guarded("Nothing was written"):
        from flows.cli.run_gpu import run_gpu

        run_gpu(device)


def place(workers: int | None, device: str | None, engine: str | None = None, address: str | None = None) -> None:
    """Have the options of a command choose where work runs; raises `ParameterError` for what there is not."""
    from flows.runtime.engines.choice import CLUSTER, ENGINE, chosen_engine
    from tasks.run.placement import default_workers

    if workers is not None:
        os.environ["NASGEM_WORKERS"] = str(workers)
        default_workers("cpu")  # a wrong number is reported before anything starts
    given = {"NASGEM_DEVICE": device, ENGINE: engine, CLUSTER: address}
    os.environ |= {name: value for name, value in given.items() if value is not None}
    chosen_engine()


def show_cluster() -> None:
    """Print the workers of the cluster that commands here use, and what each of them does; nothing without one."""
    from flows.runtime.engines.choice import chosen_engine

    address = chosen_engine().cluster
    if address:
        from flows.runtime.engines.dask_client import cluster_status, connected

        client = connected(address)
        for line in cluster_status(client):
            typer.echo(line)
        client.close()


def _prepare() -> None:
    from flows.runtime.engines.choice import require_dask
    from flows.runtime.environment import prepare_environment

    prepare_environment()
    require_dask()
