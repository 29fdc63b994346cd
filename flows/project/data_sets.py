"""`nasgem data add`: data sets under DVC, so that it notices when their files change."""

import os
from pathlib import Path

from flows.runtime.code_version import refresh_version_file
from flows.runtime.dvc_command import run_dvc
from flows.stages.catalogue import IMAGES, SEARCHED
from flows.stages.dvc_images import DVC_FILE, pipeline_text, with_images
from nasgem_core.errors import DataError
from nasgem_core.files import written_whole
from tasks.benchmark.tables import TABLES, open_table, table_path
from tasks.run.parameters import change_parameters, load_config
from tasks.store.references import reference_path, refresh_references, write_reference


def add_data(name: str, path: Path, *, reference: bool) -> str:
    """Put a data set under DVC, and return what to say of it.

    Args:
        name: section of params.yaml whose images they are, or the name of an imported table.
        path: the folder of the images, or the file of the table.
        reference: see `add_images`.

    Raises:
        NasgemError: the path cannot be used as this data set, or DVC cannot add it.
    """
    if name in IMAGES:
        return add_images(name, path, reference=reference)
    return add_table(name, path)


def update_data() -> list[str]:
    """Bring up to date what DVC compares: files on folders that it does not keep, and the version of the code.

    Returns one line for each of them that has changed.

    Raises:
        DataError: a file is damaged, or a folder cannot be read.
    """
    said = [f"the files of data set {name} have changed" for name in refresh_references()]
    if refresh_version_file():
        said.append("the code of nasgem has changed")
    return said


def add_table(name: str, file: Path) -> str:
    """Put an imported table under DVC, and return what to say of it.

    Raises:
        DataError: it was not imported, or the file is another one.
    """
    path = table_path(name)
    open_table(name)
    if file.resolve() != path.resolve():
        raise DataError(f"{file} is not the table {name}: name {path}, which `nasgem benchmark import` has written")
    _dvc_add(path)
    return f"{path} is under DVC; the stages that read it depend on {TABLES}"


def add_images(name: str, folder: Path, *, reference: bool) -> str:
    """Put a folder of images under DVC as a data set of params.yaml, and return what to say of it.

    Parameters and pipeline name the folder from then on. Nothing is changed where it cannot be used.

    Args:
        name: section of params.yaml whose images they are.
        folder: of the project, or with `reference` anywhere.
        reference: do not copy the files into DVC's cache, but have the stages depend on a small file that says what
            they are.

    Raises:
        NasgemError: the folder cannot be used as this data set, or DVC cannot add it.
    """
    _require_images(name, folder)
    pipeline = pipeline_text()
    if not pipeline:
        raise DataError(f"{DVC_FILE} is missing: work in a folder that `nasgem init` has made")
    here = Path.cwd().resolve()
    inside = folder.resolve().is_relative_to(here)
    if not inside and not reference:
        raise DataError(
            f"{folder} is outside of this project, where DVC does not keep it: move or copy it here, or add "
            "--reference, which copies nothing"
        )
    named = Path(os.path.relpath(folder.resolve(), here)) if inside else folder.absolute()
    if reference:
        watched = write_reference(name, named)
        said = f"{watched} says what is in {named}; run `nasgem data update` when its files have changed"
    else:
        _dvc_add(named)
        reference_path(name).unlink(missing_ok=True)
        watched, said = named, f"{named} is under DVC, and {named}.dvc says what is in it"
    change_parameters({f"{name}.dataset": str(named)})
    with written_whole(DVC_FILE) as file:
        file.write(with_images(pipeline, name, watched.as_posix()).encode())
    stages = ", ".join(stage.name for stage in SEARCHED.values() if name in stage.images)
    return f"{said}. {name}.dataset names it, and DVC runs these stages again when it changes: {stages}"


def _require_images(name: str, folder: Path) -> None:
    """Raise `DataError` unless a folder can be the data set of a section of params.yaml."""
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: name one with images")
    if name == "coco":
        from dataclasses import replace

        from tasks.stages.coco_data import read_data

        read_data(replace(load_config().coco, dataset=str(folder)))
        return
    from nasgem_core.training.image_files import list_image_files

    list_image_files(folder)


def _dvc_add(path: Path) -> None:
    run_dvc(
        *("add", str(path)),
        failed=f"DVC could not add {path}",
        remedy="Mend what DVC reports and run again; nothing was changed",
    )
