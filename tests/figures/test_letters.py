import pytest

from nasgem_core.figures.letters import can_draw, drawn_names, lettered, numbers_remark

LACKING = [
    "\u732b",
    "\u30cd\u30b3",
    "\uace0\uc591\uc774",
    "\U0001f408",
    "\u0e41\u0e21\u0e27",
    "cat \u732b",
    "a\x1bb",
    "\udce9",
]


@pytest.mark.parametrize(
    "name", ["cat", "Stra\xdfe", "\u043a\u043e\u0448\u043a\u0430", "\u03b3\u03ac\u03c4\u03b1", "two words", ""]
)
def test_most_alphabets_are_drawn_as_they_are(name):
    assert can_draw(name) and lettered(name) == name and drawn_names([name]) == {name: name}


@pytest.mark.parametrize("name", LACKING)
def test_what_the_font_lacks_has_a_number_and_can_be_written_out(name):
    assert not can_draw(name) and lettered(name).isascii()
    assert drawn_names(["dog", name]) == {"dog": "dog", name: "#2"}


def test_one_line_says_what_the_numbers_mean():
    assert numbers_remark(drawn_names(["dog"])) == ""
    remark = "drawn as numbers, because the font lacks their letters: #1 \u732b, #3 \u72ac"
    assert numbers_remark(drawn_names(["\u732b", "dog", "\u72ac"])) == remark
