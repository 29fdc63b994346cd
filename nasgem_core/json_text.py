"""JSON of any origin, parsed so that whatever is wrong with it is one kind of error."""

import json
from collections.abc import Callable
from typing import Any


def parse_json(text: str | bytes, change: Callable[[dict[str, Any]], Any] | None = None) -> Any:
    """Return the value in a JSON text; a byte-order mark before it is skipped.

    Args:
        text: the text, or its bytes in an encoding of Unicode.
        change: gives what takes the place of each object.

    Raises:
        ValueError: the text is not JSON, is nested too deeply, or gives a key of an object twice.
    """

    def read_object(pairs: list[tuple[str, Any]]) -> Any:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"the key {twice!r:.80} is given twice")
        return found if change is None else change(found)

    try:
        return json.loads(text.removeprefix("\ufeff") if isinstance(text, str) else text, object_pairs_hook=read_object)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except MemoryError:
        raise ValueError("it needs more memory than there is") from None
