"""The lines of a dvc.yaml by which stages depend on the images that they read.

Each ends in a comment that names the data set, so that another folder can take its place. All other lines, which may be
the user's, stay as they are.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from flows.stages.catalogue import IMAGES, SEARCHED
from nasgem_core.config.search import SearchConfig
from nasgem_core.errors import DataError
from nasgem_core.files import content_of
from tasks.store.references import reference_path, referred_folder

DVC_FILE = Path("dvc.yaml")
_MARK = " # images of "
_LINE = re.compile(r"^\s*- (?P<path>.*\S)\s+# images of (?P<name>\w+)\s*$")


def pipeline_text() -> str:
    """Return the dvc.yaml of the current folder, nothing without one; raises `DataError` for what is not a text."""
    try:
        return content_of(DVC_FILE).decode()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise DataError(f"{DVC_FILE} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(
            f"{DVC_FILE} is not a text in UTF-8: restore it, for instance with `git checkout {DVC_FILE}`"
        ) from None


def image_line(name: str, path: str) -> str:
    """Return a dependency on the images of a data set, without its indentation."""
    plain = re.fullmatch(r"[\w./-]+", path)
    return f"- {path if plain else json.dumps(path)}{_MARK}{name}"


def watched_images(text: str) -> dict[str, str]:
    """Return the paths that the stages of a dvc.yaml depend on, by the names of the data sets."""
    found = filter(None, map(_LINE.match, text.splitlines()))
    return {line["name"]: _unquoted(line["path"]) for line in found}


def _unquoted(path: str) -> str:
    with suppress(ValueError):  # half a quoted path is one that does not exist
        return str(json.loads(path)) if path[0] == '"' else path
    return path


def unwatched_images(config: SearchConfig) -> dict[str, str]:
    """Return the folders of images, by data set, whose changes DVC would not notice in the current folder."""
    watched = watched_images(pipeline_text())
    found = {}
    for name in IMAGES:
        folder = Path(getattr(config, name).dataset)
        path = watched.get(name, "")
        if path == reference_path(name).as_posix() and reference_path(name).is_file():
            path = referred_folder(name)
        if str(folder) != "." and folder.is_dir() and folder.resolve() != Path(path).resolve():
            found[name] = str(folder)
    return found


def with_images(text: str, name: str, path: str) -> str:
    """Return the text of a dvc.yaml in which the stages that read a data set depend on this path for it."""
    return "".join(f"{line}\n" for line in _lines(text.splitlines(), name, path))


def _lines(lines: list[str], name: str, path: str) -> Iterator[str]:
    stage, depth = "", 0
    for number, line in enumerate(lines):
        own = _LINE.match(line)
        if own and own["name"] == name:
            continue
        yield line
        key = re.match(r"^(\s+)([\w-]+):\s*$", line)
        if key and (not depth or len(key[1]) <= depth):
            stage, depth = key[2], len(key[1])
        elif key and key[2] == "deps" and stage in SEARCHED and name in SEARCHED[stage].images:
            following = re.match(r"^(\s*)- ", lines[number + 1]) if number + 1 < len(lines) else None
            yield f"{following[1] if following else key[1] + '  '}{image_line(name, path)}"
