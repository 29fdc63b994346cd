"""Figures as elements of a page: text that stays text, colours that follow the page, points that say what they are."""

import io
import re
from collections.abc import Mapping
from html import escape

import matplotlib
from matplotlib.figure import Figure

from nasgem_core.figures.image import RC_LOCK, write_out_letters
from nasgem_core.figures.style import GRID, INK, MUTED

_COLOURS = {INK: "var(--ink)", MUTED: "var(--muted)", GRID: "var(--line)", "#ffffff": "var(--ground)"}
"""Colours of figures that the page sets, so that they are readable on a dark ground as well."""

_FONT = "'DejaVu Sans', Verdana, sans-serif"
"""That of the layout, and one of its width."""


def inline_svg(figure: Figure, name: str, titles: Mapping[str, str] | None = None) -> str:
    """Return a figure as an SVG element.

    Args:
        figure: points with `set_urls(["#anchor", ...])` lead to these places of the page.
        name: of the figure on its page; letters and digits. The names inside of it begin with it, as those of two
            figures must differ.
        titles: words that are shown on hover over a point, by its address, such as "#cell-0a4d".
    """
    write_out_letters(figure)
    buffer = io.StringIO()
    with RC_LOCK, matplotlib.rc_context({"svg.hashsalt": "nasgem", "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :].rstrip().replace(' target="_blank"', "")
    text = re.sub(r"<style.*?</style>", "", text, flags=re.S)  # it would apply to the whole page
    text = re.sub(r"font-family: [^;]+;", f"font-family: {_FONT};", text)
    known = set(re.findall(r'\bid="([^"]+)"', text))
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(
        r'(xlink:href="#|url\(#)([^")]+)', lambda m: m[1] + (f"{name}-{m[2]}" if m[2] in known else m[2]), text
    )
    for colour, variable in _COLOURS.items():
        text = text.replace(f": {colour}", f": {variable}")
    for address, words in (titles or {}).items():
        opening = f'<a xlink:href="{escape(address)}"'
        text = text.replace(f"{opening}>", f"{opening}><title>{escape(words)}</title>")
    width, height = (72 * side for side in figure.get_size_inches())
    return re.sub(
        r"<svg[^>]*>",
        f'<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="{1.3 * width:.0f}" height="{1.3 * height:.0f}" '
        f'viewBox="0 0 {width:g} {height:g}" stroke-linejoin="round">',
        text,
        count=1,
    )
