"""The commands of `nasgem store`; `flows.cli.search_commands` adds them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.guard import guarded

if TYPE_CHECKING:
    from tasks.store.object_store import Store

stores = typer.Typer(help="Copy records and checkpoints to an object store.", no_args_is_help=True)
Place = Annotated[str, typer.Argument(help="Folder of a project, or an address such as s3://bucket/nasgem.")]


@stores.callback()
def store() -> None:
    """Make `copy` a command of its own: typer would make a single one the whole of `store`."""


@stores.command("copy")
def copy_store(source: Place, target: Place) -> None:
    """Copy finished work that the target lacks.

    Source and target are each a project or a store.
    """
    with guarded("Run it again to go on"):
        from flows.runtime.environment import prepare_environment

        prepare_environment(anywhere=True)
        from tasks.run.masking import without_secrets
        from tasks.run.progress import progress_bar, say
        from tasks.store.copying import copy_objects, missing_in

        here, there = _opened(source), _opened(target)
        names = missing_in(there, here)
        with progress_bar("copying", len(names)) as bar:
            copied = copy_objects(here, there, names, lambda done: bar.update(done, {}))
        for name in copied.damaged:
            say(f"  {name} is damaged, and was not copied")
        typer.echo(f"{copied.count} records and checkpoints copied to {without_secrets(target)}")


def _opened(place: str) -> "Store":
    from nasgem_core.errors import ParameterError
    from tasks.store.copying import ProjectStore
    from tasks.store.object_store import ObjectStore

    if "://" in place:
        return ObjectStore(place)
    if not Path(place, "params.yaml").is_file():
        raise ParameterError(f"{place} does not contain params.yaml: name the folder of a project, or an address")
    return ProjectStore(Path(place))
