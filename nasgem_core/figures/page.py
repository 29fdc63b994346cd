"""The report: a single, self-contained page of HTML."""

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from nasgem_core.errors import DataError

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1f2328; --muted: #59636e; --line: #d8dee4;
  --panel: #f6f8fa; --accent: #0060a0; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #101418; --ink: #e6edf3; --muted: #9aa7b4; --line: #30363d; --panel: #181d23; --accent: #6cb6ff; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem clamp(1rem, 4vw, 2.5rem) 4rem; background: var(--ground);
  color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
h1 { font-size: clamp(1.5rem, 5vw, 2.1rem); line-height: 1.2; margin: 0 0 1.25rem; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 0 0 .75rem; }
a { color: var(--accent); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 0 0 1.75rem; }
dl div { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .85rem; }
dt { color: var(--muted); font-size: .85rem; }
dd { margin: 0; font-size: 1.1rem; font-weight: 600; overflow-wrap: anywhere; }
nav ul { columns: 18rem; margin: 0 0 2rem; padding-left: 1.2rem; }
section { border-top: 1px solid var(--line); padding: 1.75rem 0; scroll-margin-top: 1rem; }
figure { margin: 0; }
figure .scroll { background: #ffffff; border: 1px solid var(--line); border-radius: .5rem; padding: .5rem; }
img { display: block; max-width: 100%; height: auto; margin: 0 auto; }
figcaption, .note { color: var(--muted); font-size: .95rem; margin: .6rem 0 0; max-width: 46rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .95rem; }
th, td { padding: .35rem .8rem; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { background: var(--panel); }
.number { text-align: right; }
@media (max-width: 40rem) { figure .scroll img.wide { max-width: none; width: 46rem; } }
@media print { nav { display: none; } section { break-inside: avoid; } }
"""


@dataclass(frozen=True)
class Table:
    """A table as data.

    Args:
        title: heading.
        header: the name of each column.
        rows: values; numbers are aligned right, None and NaN become a dash. Format floats as text beforehand.
        note: a remark below, such as the meaning of a column or the number of samples.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""

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
        caption: a remark below.
    """

    title: str
    png: bytes
    alternative: str
    caption: str = ""

    def __post_init__(self) -> None:
        if not self.png.startswith(_PNG_SIGNATURE):
            raise DataError(f"picture {self.title!r} is not a PNG: make it with figure_png")
        if not self.alternative.strip():
            raise DataError(f"picture {self.title!r} has no alternative text: describe what it shows")


@dataclass(frozen=True)
class Facts:
    """Single values, shown large; names to values."""

    title: str
    values: Mapping[str, object]


def render_page(title: str, parts: Sequence[Facts | Table | Picture]) -> str:
    """Return a report as one HTML document without scripts or outside assets: its parts under their titles, in order.

    Args:
        title: heading of the page.
        parts: what is shown.
    """
    links = "".join(f'<li><a href="#part{i}">{escape(part.title)}</a></li>' for i, part in enumerate(parts))
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">",
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style></head>",
        f"<body><header><h1>{escape(title)}</h1></header>",
        "<main>",
        f'<nav aria-label="Contents"><ul>{links}</ul></nav>' if parts else "",
    ]
    for i, part in enumerate(parts):
        lines.append(
            f'<section id="part{i}" aria-labelledby="title{i}"><h2 id="title{i}">{escape(part.title)}</h2>'
            f"{_content(part)}</section>"
        )
    lines.append("</main></body></html>")
    return "\n".join(line for line in lines if line) + "\n"


def _content(part: Facts | Table | Picture) -> str:
    if isinstance(part, Facts):
        return _facts(part.values)
    return _table(part) if isinstance(part, Table) else _picture(part)


def _facts(facts: Mapping[str, object]) -> str:
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(_word(value))}</dd></div>" for name, value in facts.items()
    )
    return f"<dl>{items}</dl>" if items else ""


def _table(table: Table) -> str:
    numeric = [all(_is_number(row[i]) for row in table.rows) for i in range(len(table.header))]
    mark = [' class="number"' if flag and table.rows else "" for flag in numeric]
    head = "".join(f'<th scope="col"{m}>{escape(name)}</th>' for name, m in zip(table.header, mark, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{m}>{escape(_word(value))}</td>" for value, m in zip(row, mark, strict=True)) + "</tr>"
        for row in table.rows
    )
    if not table.rows:
        body = f'<tr><td colspan="{len(table.header)}">no rows</td></tr>'
    frame = f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(table.title)}">'
    return f"{frame}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{_note(table.note)}"


def _picture(picture: Picture) -> str:
    width, height = (int.from_bytes(picture.png[at : at + 4], "big") for at in (16, 20))
    data = base64.b64encode(picture.png).decode()
    wide = ' class="wide"' if width > 1.4 * height else ""
    image = (
        f'<img{wide} src="data:image/png;base64,{data}" width="{width}" height="{height}" '
        f'alt="{escape(picture.alternative)}">'
    )
    caption = f"<figcaption>{escape(picture.caption)}</figcaption>" if picture.caption else ""
    frame = f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(picture.title)}">'
    return f"<figure>{frame}{image}</div>{caption}</figure>"


def _note(words: str) -> str:
    return f'<p class="note">{escape(words)}</p>' if words else ""


def _word(value: object) -> str:
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "\N{EN DASH}" if missing else str(value)


def _is_number(value: object) -> bool:
    """Return whether a value is a number, possibly written as text, or missing."""
    try:
        float(str(value).replace(",", "").replace("\N{MINUS SIGN}", "-").rstrip(" %"))
    except ValueError:
        return value is None
    return True
