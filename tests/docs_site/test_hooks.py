"""The site: built without a warning and without network, complete, and nothing in it is fetched from elsewhere."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt

from docs_site.sources import PAGES, ROOT, page_text

pytestmark = pytest.mark.slow
DOCS = {f"{path.stem}.html": f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
SOURCES = DOCS | {f"{Path(page).stem}.html": source for source, page in PAGES.items()}
"""The file that each page of the site is made of."""
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""What a browser fetches by itself."""

by_page = pytest.mark.parametrize("name", sorted(SOURCES))


class Page(HTMLParser):
    """What a page holds: tags with their attributes, and those of its article alone."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.article: list[str] = []
        self._inside = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside |= tag == "article"
        self.tags.append((tag, dict(attrs)))
        if self._inside:
            self.article.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._inside &= tag != "article"

    def values(self, attribute: str, *tags: str) -> Iterator[str]:
        """Yield the values of an attribute, of these tags or of all."""
        for tag, attributes in self.tags:
            if (value := attributes.get(attribute)) and (not tags or tag in tags):
                yield value


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    environment = {**os.environ, **nowhere, "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


@pytest.fixture(scope="module")
def page_of(site):
    return cache(lambda name: Page(site / name))


def commonmark(name: str) -> list[str]:
    """Return the types of all blocks of a page as code hosts read it."""
    return [token.type for token in MarkdownIt("commonmark").enable("table").parse(page_text(SOURCES[name]))]


@by_page
def test_a_page_has_the_lists_tables_and_blocks_that_code_hosts_show(name, page_of):
    blocks, article = commonmark(name), page_of(name).article
    shown = {"list_item_open": ["li"], "table_open": ["table"], "heading_open": [f"h{level}" for level in range(1, 7)]}
    wanted = {kind: blocks.count(kind) for kind in shown} | {"code": blocks.count("fence") + blocks.count("code_block")}
    found = {kind: sum(map(article.count, tags)) for kind, tags in shown.items()} | {"code": article.count("pre")}
    if name == "api.html":  # the reference adds more
        found = {kind: min(found[kind], wanted[kind]) for kind in wanted}
    assert found == wanted


def test_every_page_is_in_the_navigation(page_of):
    linked = {unquote(urlsplit(link).path) for link in page_of("index.html").values("href", "a")}
    assert SOURCES.keys() <= linked | {"index.html"}


@by_page
def test_nothing_is_fetched_from_elsewhere(name, page_of):
    page = page_of(name)
    fetched = [value for tag, attribute in FETCHED.items() for value in page.values(attribute, tag)]
    assert fetched and not [value for value in fetched if urlsplit(value).scheme or value.startswith("//")]


def test_styles_fetch_nothing_from_elsewhere(site):
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert styles and not [url for style in styles for url in re.findall(r"url\(\s*['\"]?(?:https?:)?//[^)]*", style)]


@by_page
def test_links_lead_to_pages_and_anchors_that_are_there(name, site, page_of):
    for link in page_of(name).values("href", "a"):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = (site / name).parent / unquote(parts.path) if parts.path else site / name
        assert target.is_file(), f"{name} links to {link}"
        if parts.fragment and target.suffix == ".html":
            anchors = set(page_of(str(target.relative_to(site))).values("id"))
            assert unquote(parts.fragment) in anchors | {"__top"}, f"{name} links to {link}"


@by_page
def test_equations_are_mathml(name, page_of):
    assert not [value for value in page_of(name).values("class") if "arithmatex" in value.split()]
    outside_code = re.sub(r"(?ms)^\s*```.*?^\s*```|`[^`]*`", "", page_text(SOURCES[name]))
    blocks = outside_code.count("$$") // 2
    inline = outside_code.replace("$$", "").count("$") // 2
    assert page_of(name).article.count("math") == blocks + inline
    assert name != "method.html" or (blocks and inline)


def test_search_works_from_files(site, page_of):
    found = (site / "search" / "search_index.js").read_text(encoding="utf-8").removeprefix("var __index = ")
    assert {"method.html", "cli.html", "tour.html"} <= {entry["location"] for entry in json.loads(found)["docs"]}
    assert "iframe-worker.js" in page_of("index.html").values("src", "script") and (site / "iframe-worker.js").is_file()
