"""One digest for everything that is known by its content: arrays, and the texts that belong to them."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping

import numpy as np


def digest_of(parts: Iterable[str | bytes | np.ndarray]) -> str:
    """Return 32 hexadecimal digits that are equal for equal parts in the same order.

    Only the values of an array count, in C order: where shapes or types can differ, a text must name them.
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(part.encode() if isinstance(part, str) else part)
    return digest.hexdigest()


def arrays_digest(arrays: Mapping[str, np.ndarray], text: str = "") -> str:
    """Return 32 hexadecimal digits that are equal for an equal text and equal arrays, types and shapes included."""

    def parts() -> Iterator[str | np.ndarray]:
        yield text
        for name in sorted(arrays):
            yield f"{name}:{arrays[name].dtype.str}{arrays[name].shape};"
            yield arrays[name]

    return digest_of(parts())
