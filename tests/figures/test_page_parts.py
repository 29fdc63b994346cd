import pytest

from nasgem_core.errors import DataError
from nasgem_core.figures.page_parts import Drawing, Link, Table, Vector

SVG = '<svg viewBox="0 0 1 1"></svg>'


def test_a_ragged_table_is_refused():
    with pytest.raises(DataError, match="row 1 of table 'T' has 1 values for 2 columns"):
        Table("T", ["a", "b"], [[1, 2], [3]])


def test_a_link_is_its_words():
    assert str(Link("0a4d", "cell-0a4d")) == "0a4d"


@pytest.mark.parametrize("svg", ["<p>", "<svg>", "<svg><SCRIPT>alert()</SCRIPT></svg>"])
def test_a_drawing_is_one_element_without_code(svg):
    with pytest.raises(DataError, match="drawing 'V' is not an SVG element"):
        Vector("V", svg, "x")
    with pytest.raises(DataError, match="drawing 'a' is not an SVG element"):
        Drawing("a", svg, "x")


def test_a_vector_has_words_for_those_who_cannot_see_it():
    with pytest.raises(DataError, match="picture 'V' has no alternative text"):
        Vector("V", SVG, " ")


@pytest.mark.parametrize("anchor", ["", "1a", 'a"', "a b", "-a"])
def test_an_anchor_is_a_word(anchor):
    with pytest.raises(DataError, match="must be letters, digits and dashes"):
        Drawing(anchor, SVG, "x")
