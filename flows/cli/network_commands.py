"""The commands of `nasgem` for using networks; `flows.cli.search_commands` adds them."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.guard import guarded
from nasgem_core.deployment.form import ALL_FORMS, INT8, OWN_FORMS

commands = typer.Typer()

_MODEL = (
    "A folder that `nasgem export` wrote, a .safetensors file of a stage, or a registered model as NAME@alias or "
    "NAME/version."
)
Picture = Annotated[Path, typer.Argument(help="A picture: JPEG, PNG, ...")]


@commands.command()
def export(
    model: Annotated[
        str,
        typer.Argument(help=f"{_MODEL} A .json of `nasgem build` and a published name are written with fresh weights."),
    ],
    output: Annotated[Path, typer.Option(help="The folder to write; an earlier export in it is replaced.")],
    form: Annotated[
        str,
        typer.Option("--format", help=f"{ALL_FORMS}, {', '.join(OWN_FORMS)}, {INT8}, or a form that a package adds."),
    ] = ALL_FORMS,
    images: Annotated[
        Path | None,
        typer.Option(help=f"For {INT8}: the data set; its validation images are used."),
    ] = None,
    most_lost: Annotated[
        float, typer.Option(help=f"For {INT8}: the largest fall of the accuracy on val/ to allow.", min=0.0, max=1.0)
    ] = 0.02,
) -> None:
    """Write a network that works without nasgem. Weights, one Python file, torch.export and ONNX, each checked."""
    with guarded("Nothing was written, and an earlier export is as it was"):
        if form == INT8:
            from flows.cli.run_int8 import run_int8

            run_int8(model, output, images, most_lost)
            return
        from flows.cli.run_networks import run_export

        run_export(model, output, form)


@commands.command()
def predict(
    picture: Picture,
    model: Annotated[str, typer.Option(help=_MODEL)] = "imagenet@champion",
    top: Annotated[int, typer.Option(help="Classes to list.", min=1, max=1000)] = 5,
) -> None:
    """Classify a picture with a trained network."""
    with guarded("Nothing was written"):
        from flows.cli.run_networks import run_predict

        run_predict(picture, model, top)


@commands.command()
def detect(
    picture: Picture,
    model: Annotated[str, typer.Option(help=_MODEL)] = "coco@champion",
    output: Annotated[
        Path, typer.Option(help="Where to draw the picture with boxes: .png, .jpg, .webp, .bmp or .tif.")
    ] = Path("detections.png"),
    threshold: Annotated[float, typer.Option(help="Lowest score of an object to show.", min=0.0, max=1.0)] = 0.5,
) -> None:
    """Find and draw objects with a trained detector."""
    with guarded("Nothing was drawn"):
        from flows.cli.run_networks import run_detect

        run_detect(picture, model, output, threshold)


@commands.command()
def latency(
    networks: Annotated[
        list[str] | None,
        typer.Argument(
            help="Cells (first digits of a key, 'best' or a JSON file), classifiers that were built or trained, or "
            "names of published ones; default: every trained cell of the search."
        ),
    ] = None,
    sampled: Annotated[int, typer.Option(help="Number of random cells of the search space to measure too.", min=0)] = 0,
    macs: Annotated[
        str | None,
        typer.Option(
            help="Size networks to this budget, such as 19M: GEMNets of cells as section gemnet describes them, and "
            "rivals such as mobilenet_v2. Sampled ones get a third to three times of it, known blocks join them."
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, cuda:0 ...; default: a GPU where there is one.")
    ] = None,
    batch: Annotated[int, typer.Option(help="Images per pass.", min=1)] = 1,
    threads: Annotated[int, typer.Option(help="Threads of the CPU; one is the least noisy.", min=1)] = 1,
    repeats: Annotated[int, typer.Option(help="Timed passes of each network.", min=1)] = 50,
    engine: Annotated[
        str,
        typer.Option(
            help="What runs the networks, in their fast form: torch, cuda_graph on a GPU, or onnxruntime on the CPU."
        ),
    ] = "torch",
    output: Annotated[Path, typer.Option(help="Folder of the table and the plot.")] = Path("data/latency"),
) -> None:
    """Measure time and memory of networks on a device. Median, 95th percentile, peak."""
    with guarded("Nothing was written: networks take turns, so the first is measured when the last is"):
        from flows.cli.run_networks import Measurement, run_latency

        run_latency(networks or [], sampled, Measurement(device, batch, threads, repeats, engine), output, macs=macs)
