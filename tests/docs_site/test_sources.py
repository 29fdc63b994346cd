"""Pages are read from files of any kind."""

import pytest

from docs_site.sources import PAGES, ROOT, page_text, page_title


@pytest.mark.parametrize("source", [*PAGES, *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_every_page_begins_with_its_title(source: str):
    title = page_title(source)
    assert title and page_text(source).startswith(f"# {title}\n")
