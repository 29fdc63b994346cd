from nasgem_core.figures.page_style import STYLE


def test_braces_match_and_nothing_is_fetched():
    assert STYLE.count("{") == STYLE.count("}")
    assert "url(" not in STYLE and "@import" not in STYLE and "<" not in STYLE


def test_a_page_is_readable_in_the_dark_on_a_phone_and_in_print():
    assert "prefers-color-scheme: dark" in STYLE and "max-width: 40rem" in STYLE and "@media print" in STYLE
