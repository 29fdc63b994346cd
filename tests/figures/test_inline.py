import re
from xml.etree import ElementTree

import numpy as np
import pytest

from nasgem_core.figures.inline import inline_svg
from nasgem_core.figures.pareto import draw_pareto

LINKS = [f"#cell-{place}" for place in range(4)]
SVG, HREF = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"


def element(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1))


@pytest.fixture
def figure():
    costs, accuracy = np.array([1e6, 2e6, 3e6, 4e6]), np.array([0.5, np.nan, 0.6, 0.55])
    return draw_pareto(costs, accuracy, ["random", "random", "known", "known"], 0.1, chosen=3, links=LINKS)


def test_points_lead_to_their_places_and_say_their_words(figure):
    root = element(inline_svg(figure, "pareto", {"#cell-0": "cell <0> & more", "#cell-2": "two", "#cell-3": "three"}))
    found = {link.get(HREF): link.find(f"{SVG}title").text for link in root.iter(f"{SVG}a")}
    assert found == {"#cell-0": "cell <0> & more", "#cell-2": "two", "#cell-3": "three"}
    assert [link.get(HREF) for link in root.iter(f"{SVG}a")].count("#cell-3") == 2, "the star and the point below it"
    assert not [link for link in root.iter(f"{SVG}a") if link.get("target")]


def test_names_inside_are_its_own_and_all_that_is_named_exists(figure):
    text = inline_svg(figure, "one")
    names = re.findall(r'\bid="([^"]+)"', text)
    used = re.findall(r'(?:xlink:href="|url\()#([^")]+)', text)
    assert len(set(names)) == len(names) and all(name.startswith("one-") for name in names)
    assert set(used) - set(names) == {link[1:] for link in LINKS if link != "#cell-1"}


def test_text_is_text_and_colours_follow_the_page(figure):
    text = inline_svg(figure, "one")
    assert "trained cells" in "".join(element(text).itertext())
    assert "var(--ink)" in text and "var(--ground)" in text and "#222222" not in text
    assert "<style" not in text and "<script" not in text and "http://www.w3.org/1999/xlink" in text


def test_equal_figures_are_equal_bytes(figure):
    assert inline_svg(figure, "one") == inline_svg(figure, "one")
