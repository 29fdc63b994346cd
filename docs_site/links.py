"""Links of the pages, which are written for readers of the repository, as links of the site."""

import posixpath
import re

from docs_site.sources import DOCS, PAGES, page_title

_FENCE = re.compile(r"^\s*(```|~~~)")
_LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^()\s]+)\)")


def site_links(markdown: str, folder: str) -> str:
    """Return the text of a page with its links leading to pages of the site.

    A link to a file that is not in the site becomes its text alone, and one that shows the name of a page's file shows
    its title. Links to other sites, and code, stay as they are.

    Args:
        markdown: the page as it is in the repository.
        folder: the folder that it is in, relative to the repository, such as "docs"; "" for its root.
    """
    lines, fenced = [], False
    for line in markdown.split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
        lines.append(line if fenced else _LINK.sub(lambda link: _site_link(link, folder), line))
    return "\n".join(lines)


def _site_link(link: re.Match[str], folder: str) -> str:
    path, mark, anchor = link["target"].partition("#")
    if not path or ":" in path:
        return link[0]
    place = posixpath.normpath(posixpath.join(folder, path))
    page = PAGES.get(place)
    if page is None and place.startswith(f"{DOCS}/"):
        page = posixpath.relpath(place, DOCS)
    if page is None:
        return link["text"]
    names_file = link["text"] in (path, posixpath.basename(path)) and page.endswith(".md")
    text = page_title(place) if names_file else link["text"]
    return f"{link['image']}[{text}]({page}{mark}{anchor})"
