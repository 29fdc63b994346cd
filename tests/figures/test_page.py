import base64
from html.parser import HTMLParser

import numpy as np
import pytest

from nasgem_core.errors import DataError
from nasgem_core.figures.encoder import draw_pair_histogram
from nasgem_core.figures.image import figure_png
from nasgem_core.figures.page import render_page
from nasgem_core.figures.page_parts import Chapter, Drawing, Facts, Gallery, Link, Picture, Table, Vector

VOID = {"meta", "img", "br", "link"}


class Reader(HTMLParser):
    """Collect tags and words; fail when an element is closed that is not open."""

    def __init__(self, page: str):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def png():
    return figure_png(draw_pair_histogram({"independent": np.array([0.5])}), dpi=30)


def test_the_page_holds_everything_it_shows(png):
    table = Table("Trained cells", ["key", "score"], [["ab", "0.31"], ["cd", None]], "n = 2")
    page = render_page(
        "Report", [table, Facts("Found", {"score": 0.31}), Picture("Pairs", png, "A histogram", "One pair")]
    )
    reader = Reader(page)
    image = reader.all("img")[0]
    assert base64.b64decode(image["src"].removeprefix("data:image/png;base64,")) == png
    assert image["alt"] == "A histogram"
    assert {"Report", "score", "0.31", "Trained cells", "ab", "n = 2", "Pairs", "One pair"} <= set(reader.words)
    titles = [place for place, (tag, _) in enumerate(reader.tags) if tag == "h2"]
    table_at, facts_at, image_at = ([tag for tag, _ in reader.tags].index(tag) for tag in ("table", "dl", "img"))
    assert titles[0] < table_at < titles[1] < facts_at < titles[2] < image_at, "parts keep their order"
    assert not reader.all("script") and not reader.all("link")
    assert "http://" not in page and "https://" not in page and "url(" not in page
    assert [a["href"] for a in reader.all("a")] == [f"#{s['id']}" for s in reader.all("section")]
    assert "prefers-color-scheme: dark" in page


def test_what_is_shown_is_escaped(png):
    bad = "<script>alert('\"&')</script>"
    parts = [Facts(bad, {bad: bad}), Table(bad, [bad], [[bad]], bad), Picture(bad, png, bad, bad)]
    page = render_page(bad, parts)
    reader = Reader(page)
    assert not reader.all("script")
    assert reader.all("img")[0]["alt"] == bad
    # Title twice, three sections' headings and links, fact twice, header, value, note, caption.
    assert reader.words.count(bad) == 14


def test_numbers_stand_right_and_missing_values_are_dashes():
    rows = [["ab", "1,000", 0.5, "3 %"], ["cd", None, float("nan"), "\N{MINUS SIGN}4 %"]]
    reader = Reader(render_page("Report", [Table("T", ["key", "n", "score", "share"], rows)]))
    assert [attrs.get("class") for attrs in reader.all("td")] == [None, "number", "number", "number"] * 2
    assert reader.words.count("\N{EN DASH}") == 2


def test_intervals_have_the_sign_and_are_not_broken():
    reader = Reader(
        render_page("Report", [Table("T", ["top-1"], [["61.0 +- 12.7"]])], lead="It reaches 61.0 +- 12.7 %.")
    )
    interval = "61.0\N{NO-BREAK SPACE}\N{PLUS-MINUS SIGN}\N{NO-BREAK SPACE}12.7"
    assert {interval, f"It reaches {interval} %."} <= set(reader.words)


def test_nothing_to_show_is_a_page():
    reader = Reader(render_page("Report", [Table("Trained cells", ["key"], [])]))
    assert "no rows" in reader.words
    Reader(render_page("Report", []))


def test_equal_reports_are_equal_bytes(png):
    first, second = (render_page("R", [Facts("F", {"a": 1}), Picture("P", png, "x")]) for _ in range(2))
    assert first == second


def test_a_picture_must_be_a_png_with_words(png):
    with pytest.raises(DataError, match="picture 'P' is not a PNG"):
        Picture("P", b"<svg/>", "x")
    with pytest.raises(DataError, match="picture 'P' has no alternative text"):
        Picture("P", png, " ")


SVG = '<svg viewBox="0 0 1 1"><path d="M0 0"/></svg>'


def test_chapters_group_parts_and_the_page_opens_with_its_answer(png):
    parts = [Chapter("Search", [Facts("F", {"a": 1}), Picture("P", png, "x")], "How it went."), Facts("End", {"b": 2})]
    reader = Reader(render_page("R", parts, lead="It is 61 %.", origin={"seed": 0}))
    assert reader.words.index("It is 61 %.") < reader.words.index("seed") < reader.words.index("Search")
    assert [tag for tag, _ in reader.tags if tag in ("h1", "h2", "h3")] == ["h1", "h2", "h3", "h3", "h2"]
    assert "How it went." in reader.words
    ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(set(ids)) == len(ids)
    assert {a["href"][1:] for a in reader.all("a")} == {section["id"] for section in reader.all("section")}


def test_a_point_and_a_row_lead_to_a_drawing():
    table = Table("T", ["cell"], [[Link("ab", "cell-ab")], [Link("cd", "cell-cd")]], first=True)
    gallery = Gallery("G", [Drawing("cell-ab", SVG, "cell ab")], "Drawn.", {"conv": "#ff0000"})
    reader = Reader(render_page("R", [table, Vector("V", SVG, "a plot", "Look up."), gallery]))
    assert [a["href"] for a in reader.all("a")][3:] == ["#cell-ab"], "only to what is on the page"
    assert [each["id"] for each in reader.all("figure") if "id" in each] == ["cell-ab"]
    assert {"Drawn.", "conv", "Look up.", "cd"} <= set(reader.words)
    assert [each["aria-label"] for each in reader.all("svg")] == ["a plot", "cell ab"]
    assert reader.all("table")[0]["class"] == "first"


def test_words_in_chapters_and_galleries_are_escaped():
    bad = "<script>alert('\"&')</script>"
    parts = [
        Chapter(bad, [Vector(bad, SVG, bad, bad), Gallery(bad, [Drawing("a", SVG, bad)], bad, {bad: bad})], bad),
        Table("T", [bad], [[Link(bad, "a")]]),
    ]
    reader = Reader(render_page(bad, parts, lead=bad, origin={bad: bad}))
    assert not reader.all("script")
    # Title twice, lead, origin twice, three headings and links, chapter, two captions, note, colour, header, link.
    assert reader.words.count(bad) == 18
