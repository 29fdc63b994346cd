"""The report: a single, self-contained page of HTML."""

import base64
import math
from collections.abc import Mapping, Sequence
from html import escape

from nasgem_core.figures.page_parts import Chapter, Facts, Gallery, Link, Part, Picture, Table, Vector
from nasgem_core.figures.page_style import STYLE

_LONG_FACT, _LONG_HEADER = 22, 18
"""Letters from which a value takes two places, and from which the name of a column is wrapped."""


def render_page(
    title: str, parts: Sequence[Chapter | Part], *, lead: str = "", origin: Mapping[str, object] | None = None
) -> str:
    """Return a report as one HTML document without scripts or outside assets: its parts under their titles, in order.

    Args:
        title: heading of the page.
        parts: what is shown: parts, or chapters of them.
        lead: what the page has to say, in a sentence or two below the heading.
        origin: where its figures come from, such as data set, date and machine, by name.
    """
    anchors = {drawing.anchor for part in _flat(parts) if isinstance(part, Gallery) for drawing in part.drawings}
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">",
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style></head>",
        f"<body><header><h1>{escape(title)}</h1>",
        f'<p class="lead">{_text(lead)}</p>' if lead else "",
        _facts(origin or {}, "origin"),
        "</header>",
        "<main>",
        f'<nav aria-label="Contents">{_links(parts)}</nav>' if parts else "",
        *(_section(part, f"part{i}", anchors) for i, part in enumerate(parts)),
        "</main></body></html>",
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _flat(parts: Sequence[Chapter | Part]) -> list[Part]:
    return [each for part in parts for each in (part.parts if isinstance(part, Chapter) else [part])]


def _links(parts: Sequence[Chapter | Part], prefix: str = "part") -> str:
    items = []
    for i, part in enumerate(parts):
        below = _links(part.parts, f"{prefix}{i}-") if isinstance(part, Chapter) and len(part.parts) > 1 else ""
        items.append(f'<li><a href="#{prefix}{i}">{escape(part.title)}</a>{below}</li>')
    return f"<ul>{''.join(items)}</ul>"


def _section(part: Chapter | Part, name: str, anchors: set[str], level: int = 2) -> str:
    if isinstance(part, Chapter):
        words = f'<p class="words">{_text(part.words)}</p>' if part.words else ""
        content = words + "".join(_section(each, f"{name}-{i}", anchors, 3) for i, each in enumerate(part.parts))
    else:
        content = _content(part, anchors)
    return (
        f'<section id="{name}" aria-labelledby="{name}-title"><h{level} id="{name}-title">{escape(part.title)}'
        f"</h{level}>{content}</section>"
    )


def _content(part: Part, anchors: set[str]) -> str:
    if isinstance(part, Facts):
        return _facts(part.values)
    if isinstance(part, Table):
        return _table(part, anchors)
    return _gallery(part) if isinstance(part, Gallery) else _figure(part)


def _facts(facts: Mapping[str, object], kind: str = "") -> str:
    items = []
    for name, value in facts.items():
        words = _word(value)
        long = ' class="long"' if len(words) > _LONG_FACT and not kind else ""
        items.append(f"<div{long}><dt>{escape(name)}</dt><dd>{_text(words)}</dd></div>")
    mark = f' class="{kind}"' if kind else ""
    return f"<dl{mark}>{''.join(items)}</dl>" if items else ""


def _table(table: Table, anchors: set[str]) -> str:
    numeric = [all(_is_number(row[i]) for row in table.rows) for i in range(len(table.header))]
    mark = ["number" if flag and table.rows else "" for flag in numeric]
    head = "".join(
        f'<th scope="col"{_class(m, "long" if len(name) > _LONG_HEADER else "")}>{escape(name)}</th>'
        for name, m in zip(table.header, mark, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{_class(m)}>{_cell(value, anchors)}</td>" for value, m in zip(row, mark, strict=True))
        + "</tr>"
        for row in table.rows
    )
    if not table.rows:
        body = f'<tr><td colspan="{len(table.header)}">no rows</td></tr>'
    frame = f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(table.title)}">'
    first = _class("first" if table.first else "")
    return f"{frame}<table{first}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{_note(table.note)}"


def _class(*names: str) -> str:
    return f' class="{" ".join(filter(None, names))}"' if any(names) else ""


def _cell(value: object, anchors: set[str]) -> str:
    words = _text(_word(value))
    if isinstance(value, Link) and value.anchor in anchors:
        return f'<a href="#{value.anchor}">{words}</a>'
    return words


def _figure(part: Picture | Vector) -> str:
    if isinstance(part, Picture):
        width, height = (int.from_bytes(part.png[at : at + 4], "big") for at in (16, 20))
        data = base64.b64encode(part.png).decode()
        wide = ' class="wide"' if width > 1.4 * height else ""
        image = (
            f'<img{wide} src="data:image/png;base64,{data}" width="{width}" height="{height}" '
            f'alt="{escape(part.alternative)}">'
        )
    else:
        # Not role="img": that would hide the links of the points.
        image = part.svg.replace("<svg", f'<svg class="wide" role="group" aria-label="{escape(part.alternative)}"', 1)
    caption = f"<figcaption>{_text(part.caption)}</figcaption>" if part.caption else ""
    frame = f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(part.title)}">'
    return f"<figure>{frame}{image}</div>{caption}</figure>"


def _gallery(gallery: Gallery) -> str:
    figures = [
        f'<figure id="{each.anchor}">'
        + each.svg.replace("<svg", f'<svg role="img" aria-label="{escape(each.words)}"', 1)
        + f"<figcaption>{_text(each.words)}</figcaption></figure>"
        for each in gallery.drawings
    ]
    note = f'<p class="words">{_text(gallery.note)}</p>' if gallery.note else ""
    keys = "".join(
        f'<li><span style="background: {escape(colour)}"></span>{escape(words)}</li>'
        for words, colour in gallery.colours.items()
    )
    note += f'<ul class="colours">{keys}</ul>' if keys else ""
    return f'{note}<div class="gallery">{"".join(figures)}</div>'


def _note(words: str) -> str:
    return f'<p class="note">{_text(words)}</p>' if words else ""


def _text(words: str) -> str:
    """Return words as content of the page, with the sign for "+-", where no line is broken."""
    return escape(words).replace(" +- ", "\N{NO-BREAK SPACE}\N{PLUS-MINUS SIGN}\N{NO-BREAK SPACE}")


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
