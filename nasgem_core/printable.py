"""Text of any origin for terminals: names of files and classes may hold sequences that would command the terminal."""

import re

_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Control characters but tab and newline, separators of lines, and what changes the direction of writing."""


def printable(text: str, *, lines: bool = True) -> str:
    r"""Return a text with its control characters written out, such as \x1b; with `lines=False` newlines, too."""
    text = _COMMANDS.sub(_written_out, text)
    return text if lines else text.replace("\n", r"\n")


def _written_out(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
