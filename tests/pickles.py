"""Looking for pickles in files: they run code when they are read."""

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path

_STARTS = tuple(bytes([0x80, protocol]) for protocol in (2, 3, 4, 5))
_FRAMED = tuple(bytes([0x80, protocol, 0x95]) for protocol in (4, 5))
_AS_TEXT = tuple(base64.b64encode(start + bytes(8))[:4] for start in _FRAMED)
"""The first three bytes of a pickle of protocol 4 or 5, as base64; Prefect keeps pickles so."""


def pickles(folder: Path, besides: Sequence[str] = ()) -> list[str]:
    """Return the files that are pickles, or have one in them, but for those in the named folders."""
    return sorted(str(path.relative_to(folder)) for path in _files(folder, besides) if _is_pickle(path.read_bytes()))


def _files(folder: Path, besides: Sequence[str]) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and not any(path.is_relative_to(folder / name) for name in besides):
            yield path


def _is_pickle(content: bytes) -> bool:
    if content.startswith(_STARTS) and content.endswith(b"."):
        return True
    # A frame says how long it is: in other files the three bytes come by chance.
    for start in _FRAMED:
        place = content.find(start)
        while place >= 0:
            length = int.from_bytes(content[place + 3 : place + 11], "little")
            if 4 <= length <= len(content) - place - 11:
                return True
            place = content.find(start, place + 1)
    return any(text in content and b'"pickle"' in content for text in _AS_TEXT)
