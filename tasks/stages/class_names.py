"""Names of classes for people; folders of data sets often have names such as n01440764."""

from collections.abc import Sequence
from pathlib import Path

from nasgem_core.errors import DataError


def class_names(folder: Path, classes: Sequence[str]) -> tuple[str, ...]:
    """Return a name for each class: the one in `classes.txt` of the data set, else the name of its folder.

    A line of that file is the name of a folder, white space, and the name of the class. Where two classes have the
    same name, the name of the folder follows it in both.

    Args:
        folder: the data set.
        classes: names of the folders.

    Raises:
        DataError: the file cannot be read, is not a text in UTF-8, or gives two names to a folder.
    """
    path = folder / "classes.txt"
    if not path.is_file():
        return tuple(classes)
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors on Windows put a mark before the text
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not a text in UTF-8: save it as such, or remove it") from None
    given: dict[str, str] = {}
    for words in (line.split(maxsplit=1) for line in text.split("\n")):
        if len(words) == 2:
            name = words[1].strip()
            if given.setdefault(words[0], name) != name:
                raise DataError(f"{path} names {words[0]} twice, {given[words[0]]!r} and {name!r}: remove one line")
    names = [given.get(name, name) for name in classes]
    return tuple(
        name if names.count(name) == 1 else f"{name} ({folder_name})"
        for name, folder_name in zip(names, classes, strict=True)
    )
