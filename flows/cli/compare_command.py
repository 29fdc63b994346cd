"""The command `nasgem compare`; `flows.cli.search_commands` adds it."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.cluster_commands import Cluster, Device, Engine, Store, Workers, place
from flows.cli.guard import guarded

comparing = typer.Typer()


@comparing.command()
def compare(
    cells: Annotated[
        list[str] | None, typer.Argument(help="Cells: first digits of a key, 'best' or a JSON file.")
    ] = None,
    macs: Annotated[str, typer.Option(help="Most multiply-adds of each network, such as 20M.")] = "",
    latency: Annotated[
        str, typer.Option(help="In place of --macs: longest pass in ONNX Runtime on one thread, such as 2ms.")
    ] = "",
    rivals: Annotated[
        str, typer.Option(help="Networks of any size to compare with, separated by commas; '' for none.")
    ] = "mobilenet_v2,mobilenet_v3_small",
    seeds: Annotated[int, typer.Option(help="Trainings of each network; default: imagenet.seeds.", min=0)] = 0,
    images: Annotated[str, typer.Option(help="Folder of images; default: imagenet.dataset or proxy.dataset.")] = "",
    image_size: Annotated[int, typer.Option(help="Side of the images; default: imagenet.image_size.", min=0)] = 0,
    weights: Annotated[
        list[str] | None,
        typer.Option("--from", help="Begin with these weights (default: imagenet.weights). Repeatable."),
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder of table, plot and trained networks.")] = Path("data/comparison"),
    workers: Workers = None,
    device: Device = None,
    engine: Engine = None,
    cluster: Cluster = None,
    store: Store = None,
) -> None:
    """Train cells and rivals of one size, and compare them.

    Each is built as large as the limit allows. The recipe is that of section imagenet. What was trained before is read,
    and what was stopped goes on.
    """
    with guarded():
        place(workers, device, engine, cluster, store=store)
        from flows.cli.run_compare import Asked, run_compare

        asked = Asked(
            cells=cells or [],
            rivals=rivals,
            output=output,
            macs=macs,
            latency=latency,
            images=images,
            image_size=image_size,
            weights=weights or (),
            seeds=seeds,
        )
        run_compare(asked)
