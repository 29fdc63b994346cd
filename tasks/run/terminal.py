"""The terminal: whatever a name holds, it is shown and not obeyed."""

import re
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from nasgem_core.printable import printable


class Terminal(Console):
    """A console on which text is text: no markup, no emoji by name, and control characters written out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text for printing; everything that is printed as a string comes through here."""
        return super().render_str(printable(text), **options)

    def print_words(self, text: str) -> None:
        """Print sentences: on a terminal its lines end between words, elsewhere each is one line of any length."""
        text = printable(text)
        self.print(between_words(text, self.width) if self.is_terminal else text, soft_wrap=True)


def between_words(text: str, width: int) -> str:
    """Return a text with lines of at most `width` columns that end between words.

    What stands between backticks is not broken: a command can be copied from the terminal as one line, which the
    terminal itself breaks where it is longer than the width.
    """
    return "\n".join(_broken(line, width) for line in text.split("\n"))


def _broken(line: str, width: int) -> str:
    lines = [""]
    for gap, word in re.findall(r"(\s*)((?:`[^`]*`|\S)+)", line):
        if lines[-1] and cell_len(lines[-1] + gap + word) > width:
            lines.append(word)
        else:
            lines[-1] += gap + word
    return "\n".join(lines)
