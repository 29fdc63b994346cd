"""What a page is made of: tables, pictures, drawings, single values, and the chapters that group them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nasgem_core.errors import DataError

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ANCHOR = re.compile(r"[A-Za-z][\w-]*")


@dataclass(frozen=True)
class Link:
    """A word in a table that leads to another place on the page; shown as text where the page lacks that place."""

    words: str
    anchor: str

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Table:
    """A table as data.

    Args:
        title: heading.
        header: the name of each column.
        rows: values; numbers are aligned right, None and NaN become a dash. Format floats as text beforehand.
        note: a remark below, such as the meaning of a column or the number of samples.
        first: whether the first row is the one that the others are compared with; it is printed bold.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""
    first: bool = False

    def __post_init__(self) -> None:
        for i, row in enumerate(self.rows):
            if len(row) != len(self.header):
                raise DataError(
                    f"row {i} of table {self.title!r} has {len(row)} values for {len(self.header)} columns: "
                    "give one per column"
                )


@dataclass(frozen=True)
class Picture:
    """A figure on the page.

    Args:
        title: heading.
        png: its bytes, as from `figure_png`.
        alternative: description for readers who cannot see it; not empty.
        caption: a sentence below: what to see in it.
    """

    title: str
    png: bytes
    alternative: str
    caption: str = ""

    def __post_init__(self) -> None:
        if not self.png.startswith(_PNG_SIGNATURE):
            raise DataError(f"picture {self.title!r} is not a PNG: make it with figure_png")
        _require_words(self.title, self.alternative)


@dataclass(frozen=True)
class Vector:
    """A figure whose points show words on hover and can lead to another place on the page.

    Args:
        title: heading.
        svg: the element as text, as from `inline_svg`.
        alternative: description for readers who cannot see it; not empty.
        caption: a sentence below: what to see in it.
    """

    title: str
    svg: str
    alternative: str
    caption: str = ""

    def __post_init__(self) -> None:
        require_svg(self.title, self.svg)
        _require_words(self.title, self.alternative)


@dataclass(frozen=True)
class Drawing:
    """A small drawing in a gallery.

    Args:
        anchor: the name by which links find it: letters, digits and dashes, a letter first.
        svg: the element as text.
        words: below it; they also describe it for readers who cannot see it.
    """

    anchor: str
    svg: str
    words: str

    def __post_init__(self) -> None:
        if not _ANCHOR.fullmatch(self.anchor):
            raise DataError(f"anchor = {self.anchor!r}: must be letters, digits and dashes, a letter first")
        require_svg(self.anchor, self.svg)


@dataclass(frozen=True)
class Gallery:
    """Small drawings next to each other, which links on the page lead to.

    Args:
        title: heading.
        drawings: in their order.
        note: a paragraph above them.
        colours: what each colour in them means: colours such as "#9ecae1" by words.
    """

    title: str
    drawings: Sequence[Drawing]
    note: str = ""
    colours: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """Single values, shown large; names to values."""

    title: str
    values: Mapping[str, object]


Part = Facts | Table | Picture | Vector | Gallery


@dataclass(frozen=True)
class Chapter:
    """Parts under one heading.

    Args:
        title: heading.
        parts: in their order; each has a heading of its own.
        words: a paragraph below the heading.
    """

    title: str
    parts: Sequence[Part]
    words: str = ""


def require_svg(title: str, svg: str) -> None:
    """Raise `DataError` if a text is not one element of SVG, or could run code."""
    if not (svg.startswith("<svg") and svg.rstrip().endswith("</svg>")) or "<script" in svg.lower():
        raise DataError(f"drawing {title!r} is not an SVG element: make it with inline_svg or cell_svg")


def _require_words(title: str, alternative: str) -> None:
    if not alternative.strip():
        raise DataError(f"picture {title!r} has no alternative text: describe what it shows")
