"""The commands of `nasgem` for projects and their data; `flows.cli.search_commands` adds them."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.guard import guarded

projects = typer.Typer()
data = typer.Typer(help="Put data sets under DVC, which notices changes.", no_args_is_help=True)
projects.add_typer(data, name="data")


@projects.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A new or an empty folder.")],
    images: Annotated[
        Path | None,
        typer.Option(
            help="Your images, which are copied: a folder per class, or train/ and val/ with these. Default: bundled."
        ),
    ] = None,
) -> None:
    """Make a project with your images.

    It has params.yaml, dvc.yaml, a repository of git and DVC, and a copy of your images, or the bundled ones.
    """
    with guarded("No project was made"):
        from flows.cli.run_projects import run_init

        run_init(folder, images)


@data.command()
def add(
    name: Annotated[str, typer.Argument(help="proxy, imagenet or coco, or the name of an imported table.")],
    path: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of the images, or the table's file.")],
    reference: Annotated[
        bool,
        typer.Option("--reference", help="For big folders: copy nothing; a small file says what is in the folder."),
    ] = False,
) -> None:
    """Have DVC keep a data set and notice its changes.

    Parameters and dvc.yaml name the folder from then on.
    """
    with guarded("Run the same command again to go on"):
        from flows.cli.run_projects import run_add

        run_add(name, path, reference)


@data.command()
def update() -> None:
    """Look for changes of what `--reference` added.

    It also looks for changes of nasgem itself. `nasgem search` does both by itself.
    """
    with guarded("Run the same command again to go on"):
        from flows.cli.run_projects import run_update

        run_update()
