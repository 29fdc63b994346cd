"""Which files of a folder are images: the one listing for searches, trainings and exports.

Left out and counted are hidden files and folders at every depth, what operating systems add, files with other endings,
and what is not a file. Linked folders are followed, but no folder is read twice for one class.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from nasgem_core.errors import DataError
from nasgem_core.training.skipped import Skipped

IMAGE_ENDINGS = (
    *(".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"),
    *(".jfif", ".jpe", ".jp2", ".avif", ".gif", ".tga", ".pbm", ".pnm"),
)
"""What counts as an image: the endings of torchvision, then others of pictures that PIL reads."""
_SYSTEM_FOLDERS = frozenset(
    ("__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found", "__pycache__")
)
"""Folders that archives of macOS, storage systems, Windows, Linux and Python add to those of a user."""
_SYSTEM_FILES = frozenset(("thumbs.db", "desktop.ini"))
_HIDDEN, _SYSTEM = "hidden", "of the system"
_LOOSE, _LINKED, _OTHER = "outside of class folders", "in linked folders that were read already", "not a regular file"
_ENDINGS = "with an ending that is not read"


class ClassFolders:
    """The class folders of a split, and what was left out of them so far.

    Args:
        folder: `train/` or `val/`.

    Raises:
        DataError: the folder cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: list[str] = []
        self.loose = 0
        self._skipped: dict[str, list[str]] = {}
        for entry in _entries(folder):
            reason = _unwanted(entry)
            if _is_folder(entry) and not reason:
                self.names.append(entry.name)
            elif _is_folder(entry):
                self._skip(reason, *_files_below(entry.path))
            else:
                self.loose += not reason and _is_image(entry)
                self._skip(reason or _LOOSE, entry.path)

    def images(self, name: str) -> list[str]:
        """Return the paths, sorted, of the images of a class, which may be in folders inside of its folder.

        Raises:
            DataError: there are none, or a folder cannot be read.
        """
        found: list[str] = []
        others: list[str] = []
        place = self.folder / name
        read = {_identity(path) for path in (self.folder.parent, self.folder, place)}
        waiting = [str(place)]
        while waiting:
            folders: list[os.DirEntry[str]] = []
            for entry in _entries(waiting.pop()):
                reason = _unwanted(entry)
                if _is_folder(entry):
                    if reason:
                        self._skip(reason, *_files_below(entry.path))
                    else:
                        folders.append(entry)
                elif reason:
                    self._skip(reason, entry.path)
                elif not _is_image(entry):
                    others.append(entry.path)
                elif _is_file_or_nothing(entry):
                    found.append(entry.path)
                else:
                    self._skip(_OTHER, entry.path)
            for entry in sorted(folders, key=lambda entry: entry.is_symlink()):
                identity = _identity(entry.path)
                if identity in read:
                    self._skip(_LINKED, entry.path)
                else:
                    read.add(identity)
                    waiting.append(entry.path)
        self._skip(_ENDINGS, *others)
        if not found:
            endings = f"; it has {len(others)} files that are not read ({_endings_of(others)})" if others else ""
            remedy = "save them as JPEG or PNG, fill" if others else "fill"
            raise DataError(f"{place} has no images{endings}: {remedy} the folder of this class or remove it")
        return sorted(found)

    def skipped(self) -> tuple[Skipped, ...]:
        """Return what was left out of the class folders listed so far, by reason."""
        return tuple(
            Skipped(
                f"{reason} ({_endings_of(paths)})" if reason == _ENDINGS else reason,
                len(paths),
                os.path.relpath(min(paths), self.folder),
            )
            for reason, paths in self._skipped.items()
        )

    def _skip(self, reason: str, *paths: str) -> None:
        if paths:
            self._skipped.setdefault(reason, []).extend(paths)


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"the folder {folder} cannot be read: {error.strerror}") from None


def _unwanted(entry: os.DirEntry[str]) -> str:
    """Return the reason to leave an entry out, "" for none."""
    if entry.name.startswith("."):
        return _HIDDEN
    return _SYSTEM if entry.name in _SYSTEM_FOLDERS or entry.name.lower() in _SYSTEM_FILES else ""


def _is_folder(entry: os.DirEntry[str]) -> bool:
    # Of a link to itself `DirEntry.is_dir` raises an error.
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def _is_file_or_nothing(entry: os.DirEntry[str]) -> bool:
    # A link to nowhere is a broken image: the copy of the data set is incomplete.
    return entry.is_file(follow_symlinks=False) or os.path.isfile(entry.path) or not os.path.exists(entry.path)


def _is_image(entry: os.DirEntry[str]) -> bool:
    return entry.name.lower().endswith(IMAGE_ENDINGS)


def _files_below(folder: str) -> Iterator[str]:
    if os.path.islink(folder):  # it may lead to the whole disk
        yield folder
        return
    for parent, _, names in os.walk(folder):
        yield from (os.path.join(parent, name) for name in names)


def _identity(path: str | Path) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError as error:
        raise DataError(f"the folder {path} cannot be read: {error.strerror}") from None
    return status.st_dev, status.st_ino


def _endings_of(paths: list[str]) -> str:
    endings = sorted({os.path.splitext(path)[1].lower() or "no ending" for path in paths})
    return ", ".join(endings[:5]) + (", ..." if len(endings) > 5 else "")
