"""What of a data set is left out, counted by reason."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Skipped:
    """Boxes, images or files that were left out for one reason: their number and the first of them."""

    reason: str
    count: int
    first: str

    def __str__(self) -> str:
        return f"{self.count:,} {self.reason} (first: {self.first})"


def skipped_line(place: str, skipped: Sequence[Skipped]) -> str:
    """Return one line on the files of a place that were left out, "" if there are none."""
    if not skipped:
        return ""
    count = sum(item.count for item in skipped)
    files = "1 file is" if count == 1 else f"{count:,} files are"
    return f"{place}: {files} skipped: {', '.join(map(str, skipped))}"
