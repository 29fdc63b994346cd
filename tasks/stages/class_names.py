"""What classes are called, where their folders have names that only machines like."""

from collections.abc import Sequence
from pathlib import Path

from nasgem_core.errors import DataError


def class_names(folder: Path, classes: Sequence[str]) -> tuple[str, ...]:
    """Return what classes are called: as `classes.txt` of a data set says, else as their folders are.

    A line of that file is the name of a class's folder, white space, and what it is called. Where two classes are
    called the same, both have the name of the folder behind it.

    Raises:
        DataError: the file is no text in UTF-8.
    """
    path = folder / "classes.txt"
    if not path.is_file():
        return tuple(classes)
    try:
        lines = [line.split(maxsplit=1) for line in path.read_text(encoding="utf-8").splitlines()]
    except UnicodeDecodeError:
        raise DataError(f"{path} is no text in UTF-8: save it as such, or remove it") from None
    said = {line[0]: line[1].strip() for line in lines if len(line) == 2}
    names = [said.get(name, name) for name in classes]
    return tuple(
        name if names.count(name) == 1 else f"{name} ({own})" for name, own in zip(names, classes, strict=True)
    )
