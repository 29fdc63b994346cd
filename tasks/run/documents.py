"""JSON documents that a user can name or write: cells and networks."""

from functools import cache
from pathlib import Path
from typing import Any

from nasgem_core.checksums import without_checksum
from nasgem_core.errors import DataError
from nasgem_core.files import content_of
from nasgem_core.json_text import parse_json
from tasks.run.progress import say


def read_document(path: Path) -> Any:
    """Return what is in a JSON file, written by nasgem or by hand; the latter is said, once for each file.

    Raises:
        OSError: it cannot be read.
        DataError: it is not JSON, or was written by nasgem and has changed since; the caller adds the path.
    """
    try:
        parsed = parse_json(content_of(path))
    except ValueError as error:
        raise DataError(f"not valid JSON ({error})") from None
    try:
        document, has_checksum = without_checksum(parsed)
    except ValueError as error:
        raise DataError(
            f"it was changed after nasgem had written it: {error}; write it again, or, if you changed it on purpose, "
            "delete its field 'checksum'"
        ) from None
    if not has_checksum:
        say_hand_written(path)
    return document


@cache
def say_hand_written(path: Path) -> None:
    """Say that a file has no checksum, and what that means."""
    say(f"  {path} has no checksum: it is taken as written by hand")
