"""Checksums inside the files that they are of: whoever reads one notices that a byte has changed.

A checksum protects against damage and against changes by mistake, not against somebody who computes it again.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from nasgem_core.digest import arrays_digest, digest_of

CHECKSUM = "checksum"
_DIGITS = 32
_CHANGED = "the checksum does not match"
_DIGEST = re.compile(f"[0-9a-f]{{{_DIGITS}}}")
_LABEL = b"nasgem-checksum:"
UNSET = (_LABEL + b"0" * _DIGITS).decode()
"""The place in the bytes of a file that `bytes_with_checksum` fills with their checksum."""
_SET = re.compile(_LABEL + _DIGEST.pattern.encode())


def sealed(document: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    """Return a document as JSON with a checksum of it and of arrays: file formats do not notice every changed byte."""
    return json.dumps({CHECKSUM: arrays_digest(arrays, json.dumps(document)), **document})


def unsealed(text: str | bytes, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return the document that `sealed` was given; raises `ValueError` if it, or an array, has changed."""
    document = json.loads(text)
    if not isinstance(document, dict) or document.pop(CHECKSUM, None) != arrays_digest(arrays, json.dumps(document)):
        raise ValueError(_CHANGED)
    return document


def json_with_checksum(document: Mapping[str, Any]) -> str:
    """Return a document as indented JSON, the last field a checksum of all others; numbers have to be finite."""
    text = json.dumps(document, allow_nan=False)
    return json.dumps({**document, CHECKSUM: digest_of([text])}, indent=2) + "\n"


def without_checksum(document: Any) -> tuple[Any, bool]:
    """Return what was parsed of a JSON file without its checksum, and whether it had one: a person writes none.

    Raises:
        ValueError: the checksum does not match, or its name has changed.
    """
    if not isinstance(document, dict):
        return document, False
    rest = {name: value for name, value in document.items() if name != CHECKSUM}
    if CHECKSUM in document:
        if document[CHECKSUM] != digest_of([json.dumps(rest)]):
            raise ValueError(_CHANGED)
        return rest, True
    for name, value in rest.items():
        if isinstance(value, str) and _DIGEST.fullmatch(value):
            raise ValueError(f"the field {name!r:.80} is a checksum under another name")
    return rest, False


def bytes_with_checksum(content: bytes) -> bytes:
    """Return the bytes of a file with their checksum in the place of `UNSET`, which they have once."""
    if content.count(UNSET.encode()) != 1:
        raise ValueError(f"the bytes must have {UNSET} once")
    return content.replace(UNSET.encode(), _LABEL + digest_of([content]).encode())


def check_bytes(content: bytes) -> None:
    """Raise `ValueError` unless the bytes are those that `bytes_with_checksum` has returned."""
    found = _SET.findall(content)
    if len(found) != 1:
        raise ValueError("it has no checksum")
    if found[0] != _LABEL + digest_of([content.replace(found[0], UNSET.encode())]).encode():
        raise ValueError(_CHANGED)
