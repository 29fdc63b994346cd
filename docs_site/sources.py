"""The files that pages of the site are made of."""

import json
from functools import cache
from pathlib import Path

from docs_site.notebook import as_markdown

ROOT = Path(__file__).parents[1]
DOCS = "docs"
"""Folder of the pages in the repository."""
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "docs/tour.ipynb": "tour.md",
}
"""Files of the repository that are no page of docs/, and the page of the site that shows each."""


@cache
def page_text(source: str) -> str:
    """Return the text of a page, as Markdown, from its file in the repository, such as "docs/method.md"."""
    text = (ROOT / source).read_text(encoding="utf-8")
    return as_markdown(json.loads(text)) if source.endswith(".ipynb") else text


def page_title(source: str) -> str:
    """Return the first heading of a page."""
    return next(line[2:].strip() for line in page_text(source).splitlines() if line.startswith("# "))
