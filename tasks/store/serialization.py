"""Plain values with arrays as bytes, without pickle: what a cached task returns is stored in this form.

A value is a tree of dicts, lists, strings, numbers, booleans, None and NumPy arrays. Arrays are stored as safetensors,
the tree as JSON in its header; a checksum in front makes a truncated or altered record unreadable instead of wrong.
"""

import base64
import hashlib
import json
from typing import Any, Literal

import numpy as np
import safetensors.numpy
from prefect.serializers import Serializer

from nasgem_core.errors import DataError

_ARRAY = "$array"
_DIGEST_SIZE = 16


def encode(value: Any) -> bytes:
    """Return a plain value as bytes; equal values give equal bytes. Raises `DataError` for any other type."""
    arrays: dict[str, np.ndarray] = {}
    tree = json.dumps(_extract(value, arrays))
    # safetensors cannot hold an empty set of tensors together with a header, so there is always one.
    payload = safetensors.numpy.save({"": np.zeros(1, np.uint8), **arrays}, metadata={"tree": tree})
    return hashlib.blake2b(payload, digest_size=_DIGEST_SIZE).digest() + payload


def decode(data: bytes) -> Any:
    """Read what `encode` wrote; raises `DataError` when a byte is missing or changed."""
    digest, payload = data[:_DIGEST_SIZE], data[_DIGEST_SIZE:]
    if hashlib.blake2b(payload, digest_size=_DIGEST_SIZE).digest() != digest:
        raise DataError("the record is truncated or altered: its checksum does not match")
    arrays = safetensors.numpy.load(payload)
    header = int.from_bytes(payload[:8], "little")
    tree = json.loads(json.loads(payload[8 : 8 + header])["__metadata__"]["tree"])
    return _insert(tree, arrays)


def _extract(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.ndarray):
        name = str(len(arrays))
        arrays[name] = np.asarray(value, order="C")
        return {_ARRAY: name}
    if isinstance(value, dict):
        if not all(isinstance(key, str) and key != _ARRAY for key in value):
            raise DataError(f"a plain value has text keys, not {list(value)!r}")
        return {key: _extract(item, arrays) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_extract(item, arrays) for item in value]
    raise DataError(f"{type(value).__name__} is not a plain value: use dicts, lists, text, numbers and arrays")


def _insert(tree: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(tree, dict):
        if _ARRAY in tree:
            return arrays[tree[_ARRAY]]
        return {key: _insert(item, arrays) for key, item in tree.items()}
    if isinstance(tree, list):
        return [_insert(item, arrays) for item in tree]
    return tree


class PlainSerializer(Serializer):
    """Prefect result serializer over `encode` and `decode`."""

    type: Literal["nasgem-plain"] = "nasgem-plain"

    def dumps(self, obj: Any) -> bytes:
        """Return the value as text bytes, which is what a Prefect record can hold."""
        return base64.b64encode(encode(obj))

    def loads(self, blob: bytes) -> Any:
        """Read what `dumps` wrote."""
        return decode(base64.b64decode(blob, validate=True))
