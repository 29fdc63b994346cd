"""Equations as MathML, which browsers draw by themselves, in place of a script."""

import html
import re

from latex2mathml.converter import convert

_EQUATION = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\(?P<kind>[(\[])(?P<tex>.*?)\\[)\]]</(?P=tag)>', re.DOTALL
)


def with_mathml(page: str) -> str:
    """Return the HTML of a page with each equation that `pymdownx.arithmatex` has marked drawn as MathML."""
    return _EQUATION.sub(_mathml, page)


def _mathml(equation: re.Match[str]) -> str:
    display = "inline" if equation["kind"] == "(" else "block"
    drawn = convert(html.unescape(equation["tex"]).strip(), display=display)
    return drawn if display == "inline" else f'<div class="equation">{drawn}</div>'
