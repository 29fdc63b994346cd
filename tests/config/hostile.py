"""Values that nobody expects in a document, and documents that have one of them somewhere."""

import copy
from collections.abc import Iterator
from typing import Any

DEEP: list[Any] = []
for _ in range(900):
    DEEP = [DEEP]
VALUES = [
    *(None, True, -1, 0, 1, 2**40, 10**30, 10**400, -(10**400), 1e300, 1e-300, float("inf"), float("nan")),
    *("", "x", "\0", "\ud800", "\x1b[31m", "9" * 5000, [], {}, [[]], [None], {"a": 1}, [1] * 1000, DEEP),
]


def places(document: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every value of a document, as the keys and indices that lead to it."""
    yield above
    if isinstance(document, dict | list):
        inner = document.items() if isinstance(document, dict) else enumerate(document)
    else:
        inner = ()
    for key, value in inner:
        yield from places(value, (*above, key))


def changed(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    """Return a copy of a document with another value at a place."""
    if not place:
        return value
    document = copy.deepcopy(document)
    inner = document
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return document
