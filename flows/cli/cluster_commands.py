"""The commands of `nasgem` for workers and clusters; `flows.cli.search_commands` adds them."""

import os
from collections.abc import Callable
from typing import Annotated

import typer

from flows.cli.guard import guarded

clusters = typer.Typer()

Workers = Annotated[
    int | None, typer.Option(help="Trainings at the same time; default: one per core or GPU, or see `nasgem gpu`.")
]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:0 ...; default: a GPU where there is one.")]
Engine = Annotated[
    str | None,
    typer.Option(help="Who trains: processes, or dask or ray (a cluster, here or --cluster). [default: processes]"),
]
Cluster = Annotated[
    str | None, typer.Option(help="Address of the scheduler of a cluster, such as tls://10.0.0.1:8786.")
]
Store = Annotated[
    str | None, typer.Option(help="Address for records and checkpoints, such as s3://bucket/nasgem; default: none.")
]
Kind = Annotated[str, typer.Option("--engine", help="Kind of the cluster: dask or ray.")]


@clusters.command()
def scheduler(
    host: Annotated[str, typer.Option(help="Address of this machine that the others reach.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="Port of the scheduler; default: 8786, for Ray 6379.", min=1, max=65535)
    ] = None,
    engine: Kind = "dask",
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Show Dask's pages to every user of this machine, without a password.")
    ] = False,
) -> None:
    """Run the scheduler of a cluster.

    It also makes the key that the machines of the cluster share.
    """
    with guarded("Searches that used this scheduler can go on with another"):
        serve = _part(engine, "", "scheduler")
        from flows.runtime.engines.choice import engine_kind

        kind, options = engine_kind(engine), {}
        if dashboard:
            kind.require_dashboard()
            options["dashboard"] = True
        serve(host, port or kind.port, **options)


@clusters.command()
def worker(
    address: Annotated[str, typer.Argument(help="Of the scheduler, such as tls://10.0.0.1:8786.")],
    workers: Workers = None,
    device: Device = None,
    engine: Annotated[str | None, typer.Option(help="Kind of the cluster: dask or ray; default: by address.")] = None,
    store: Store = None,
) -> None:
    """Train on this machine for the searches of a cluster."""
    with guarded("Trainings that ran here are done again by other workers"):
        place(workers, device, engine, address, store=store)
        serve = _part(engine or "", address, "workers")
        from tasks.run.placement import default_device, default_workers

        serve(address, default_workers(default_device()))


@clusters.command()
def gpu(
    device: Annotated[str | None, typer.Option(help="cuda:0, cuda:1 ...; default: the first GPU.")] = None,
) -> None:
    """Measure how many trainings at a time suit a GPU best.

    Commands in this folder then start so many.
    """
    with guarded("Nothing was written"):
        from flows.cli.run_gpu import run_gpu

        run_gpu(device)


def place(
    workers: int | None,
    device: str | None,
    engine: str | None = None,
    address: str | None = None,
    *,
    store: str | None = None,
) -> None:
    """Have the options of a command choose where work runs; raises `ParameterError` for what there is not."""
    from flows.runtime.engines.choice import CLUSTER, ENGINE, use_store
    from tasks.run.placement import default_workers
    from tasks.store.object_store import STORE

    if workers is not None:
        os.environ["NASGEM_WORKERS"] = str(workers)
        default_workers("cpu")  # a wrong number is reported before anything starts
    given = {"NASGEM_DEVICE": device, ENGINE: engine, CLUSTER: address, STORE: store}
    os.environ |= {name: value for name, value in given.items() if value is not None}
    use_store()


def show_cluster() -> None:
    """Print the workers of the cluster that commands here use, and what each of them does; nothing without one."""
    from flows.runtime.engines.choice import chosen_engine, engine_kind

    chosen = chosen_engine()
    if chosen.cluster:
        for line in engine_kind(chosen.engine).load("status")(chosen.cluster):
            typer.echo(line)


def _part(engine: str, address: str, part: str) -> Callable[..., None]:
    """Return what serves a part of a cluster here, in a process that is set up for it."""
    from flows.runtime.engines.choice import engine_kind
    from flows.runtime.environment import prepare_environment

    prepare_environment()
    serve: Callable[..., None] = engine_kind(engine, address).load(part)
    return serve
