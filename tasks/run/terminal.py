"""The terminal: whatever a name holds, it is shown and not obeyed."""

from typing import Any

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
