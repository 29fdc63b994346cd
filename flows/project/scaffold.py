"""`nasgem init`: a project of one's own, whole or not at all."""

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.project import texts
from flows.runtime.code_version import VERSION_FILE, version_text
from flows.runtime.dvc_command import run_dvc
from flows.runtime.environment import STATE
from flows.runtime.private_folder import make_private
from flows.stages.dvc_file import project_dvc_file
from flows.stages.dvc_images import with_images
from nasgem_core.errors import DataError, NasgemError
from tasks.run.parameters import PARAMS, complete, profile_named

IMAGES = "images"
"""Folder of a project's own images; profile `own_images` names it."""
_UNFINISHED = ".nasgem-init-"
_OWN_IMAGES, _BUNDLED_IMAGES = "own_images", "laptop"
"""Profiles of projects."""


def make_project(folder: Path, images: Path | None) -> list[str]:
    """Make a project: parameters, pipeline, a repository of git and DVC, and the images in it.

    Args:
        folder: a new or an empty one.
        images: a folder of images, which is copied; without one the project searches on the bundled images.

    Returns lines on the images: how they were split, and what was left out.

    Raises:
        DataError: the folder is not empty, or the images cannot be used.
        NasgemError: git or DVC cannot do their part. In any case nothing is left of the project.
    """
    folder, remarks = folder.absolute(), list[str]()
    require_free(folder)
    if images is not None:
        _require_apart(images, folder)
    with _filled(folder) as place:
        for name, text in _texts(folder, IMAGES if images else "").items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        for state in (STATE, STATE / "dvc"):
            make_private(place / state)
        _run_git(place)
        if images is not None:
            _copy_images(images, place / IMAGES)
            remarks = _checked_images(place, images)
            run_dvc(
                *("add", IMAGES),
                failed=f"DVC could not add {images}",
                remedy="Mend what DVC reports and run again; no project was made",
                folder=place,
            )
            shutil.rmtree(place / STATE / "dvc" / "repo")
        make_private(place / STATE / "dvc" / "repo")
    return remarks


def require_free(folder: Path) -> None:
    """Raise `DataError` unless a project can be made in a folder: it is missing, or empty."""
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file: name a new folder")
    found = sorted(path.name for path in folder.iterdir() if not _is_left_over(path)) if folder.is_dir() else []
    if PARAMS.name in found:
        raise DataError(f"{folder} is a project already: run nasgem in it, or name a new folder")
    if found:
        raise DataError(f"{folder} is not empty (it has {found[0]}): name a new folder, or an empty one")


def _is_left_over(path: Path) -> bool:
    return path.name.startswith(_UNFINISHED)


def _require_apart(images: Path, folder: Path) -> None:
    if not images.is_dir():
        raise DataError(f"{images} is not a folder: name the one that has your images")
    if folder.resolve().is_relative_to(images.resolve()):
        raise DataError(
            f"{folder} is inside of {images}: name a folder elsewhere, because the images are copied into it"
        )


def _checked_images(place: Path, source: Path) -> list[str]:
    """Return the remarks on the copied images; a split is recorded next to the copy, and not where the user's are."""
    from nasgem_core.training.folder_split import record_of
    from nasgem_core.training.image_files import list_image_files

    if record_of(source).is_file():
        shutil.copy(record_of(source), record_of(place / IMAGES))
    try:
        found = list_image_files(place / IMAGES)
    except DataError as error:
        raise DataError(str(error).replace(str(place / IMAGES), str(source))) from None
    return [files.remark.replace(f"{place}/", "") for files in found if files.remark]


@contextmanager
def _filled(folder: Path) -> Iterator[Path]:
    """Provide a folder whose content is moved to `folder` when the block ends well, and removed otherwise.

    It is inside of `folder`, so moving it copies nothing, and params.yaml, which makes a project of a folder, is last.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    moved: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in filter(_is_left_over, list(folder.iterdir())):
            shutil.rmtree(path)
        place = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder))
        yield place
        for path in sorted(place.iterdir(), key=lambda path: path.name == PARAMS.name):
            moved.append(path.rename(folder / path.name))
        place.rmdir()
    except BaseException as error:
        for path in (*moved, *filter(_is_left_over, folder.glob("*"))):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        with suppress(OSError):
            for path in missing:
                path.rmdir()
        if isinstance(error, OSError):
            raise DataError(
                f"{folder} cannot be made a project: {error.strerror or error}; nothing was kept"
            ) from error
        raise


def _texts(folder: Path, images: str) -> dict[str, str | bytes]:
    """Return the content of each file that is written; `images` is the folder of the images, or empty."""
    pipeline = project_dvc_file()
    for name in ("proxy", "imagenet") if images else ():
        pipeline = with_images(pipeline, name, images)
    return {
        "README.md": texts.readme(folder.name, images),
        ".gitignore": texts.GIT_IGNORE,
        ".dvcignore": texts.DVC_IGNORE,
        ".dvc/.gitignore": texts.DVC_IGNORED_BY_GIT,
        ".dvc/config": texts.DVC_CONFIG,
        ".dvc/config.local": texts.dvc_config_here(str(folder / STATE)),
        "data/tables/README.md": texts.TABLES,
        "dvc.yaml": pipeline,
        str(VERSION_FILE): version_text(),
        PARAMS.name: complete(profile_named(_OWN_IMAGES if images else _BUNDLED_IMAGES)),
    }


def _run_git(place: Path) -> None:
    try:
        subprocess.run(["git", "init", "--quiet"], cwd=place, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise NasgemError("git is not installed, and DVC needs it: install git and run again") from None
    except subprocess.CalledProcessError as error:
        raise NasgemError(f"git could not make a repository: {error.stderr.strip()}") from None


def _copy_images(source: Path, target: Path) -> None:
    """Copy what a folder of images holds: links by what they lead to, neither hidden files nor pipes and devices."""

    def left_out(parent: str, names: list[str]) -> set[str]:
        return {name for name in names if name.startswith(".") or not _is_copied(os.path.join(parent, name))}

    try:
        shutil.copytree(source, target, ignore=left_out)
    except shutil.Error as error:
        path, _, reason = error.args[0][0]
        raise DataError(f"{path} cannot be copied ({reason}): make it readable, or remove it") from None


def _is_copied(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except OSError:  # a link to nowhere: the copy of the data set is incomplete, which `copytree` reports
        return True
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)
